// The blocking that the float matrix products of all instruction sets share. A block of B, kDepth × kColumns,
// is copied into panels [kDepth][kPanel] on the stack (it stays in the L2 cache), then a micro kernel
// computes tiles of kRows × kPanel of C. Each depth block adds to C, the first one to the bias.
//
// Everything here has internal linkage on purpose: each including file is compiled for another instruction
// set.
#pragma once

#include <cstdint>

#include "kernels/kernels.h"

namespace bdc {
namespace {

constexpr int kDepth = 128;
constexpr int kColumns = 128;  // 128 · 128 floats = 64 KB

/// One tile: c[r][j] += Σ_k a[r][k] · panel[k][j] for Micro::kRows rows and Micro::kPanel columns.
struct GemmTile {
  const float* a;
  int64_t a_stride;
  const float* panel;
  int depth;
  float* c;
  int64_t c_stride;
};

template <typename Micro>
inline void PackPanels(const GemmArgs& args, int first, int depth, int64_t column, int columns,
                       float* panels) {
  for (int from = 0; from < columns; from += Micro::kPanel) {
    const int width = columns - from < Micro::kPanel ? columns - from : Micro::kPanel;
    float* panel = panels + static_cast<int64_t>(from) * depth;
    for (int k = 0; k < depth; ++k, panel += Micro::kPanel) {
      const float* source = args.b + (first + k) * args.b_stride + column + from;
      if (width == Micro::kPanel) {
        for (int j = 0; j < Micro::kPanel; ++j) panel[j] = source[j];
      } else {
        for (int j = 0; j < Micro::kPanel; ++j) panel[j] = j < width ? source[j] : 0.0f;
      }
    }
  }
}

/// A tile that hangs over the edge of A or C is computed whole in buffers of its own.
template <typename Micro>
inline void RunEdgeTile(const GemmTile& tile, int rows, int columns) {
  float a[Micro::kRows * kDepth];
  float c[Micro::kRows * Micro::kPanel];
  for (int r = 0; r < Micro::kRows; ++r) {
    for (int k = 0; k < tile.depth; ++k) a[r * kDepth + k] = r < rows ? tile.a[r * tile.a_stride + k] : 0.0f;
    for (int j = 0; j < Micro::kPanel; ++j) {
      c[r * Micro::kPanel + j] = r < rows && j < columns ? tile.c[r * tile.c_stride + j] : 0.0f;
    }
  }
  Micro::Run({a, kDepth, tile.panel, tile.depth, c, Micro::kPanel});
  for (int r = 0; r < rows; ++r) {
    for (int j = 0; j < columns; ++j) tile.c[r * tile.c_stride + j] = c[r * Micro::kPanel + j];
  }
}

template <typename Micro>
inline void RunGemm(const GemmArgs& args, int64_t begin, int64_t end) {
  alignas(64) float panels[kDepth * kColumns];
  for (int64_t column = begin; column < end; column += kColumns) {
    const int columns = end - column < kColumns ? static_cast<int>(end - column) : kColumns;
    for (int r = 0; r < args.rows; ++r) {
      const float bias = args.bias != nullptr ? args.bias[r] : 0.0f;
      float* c = args.c + r * args.c_stride + column;
      for (int j = 0; j < columns; ++j) c[j] = bias;
    }
    for (int first = 0; first < args.depth; first += kDepth) {
      const int depth = args.depth - first < kDepth ? args.depth - first : kDepth;
      PackPanels<Micro>(args, first, depth, column, columns, panels);
      for (int r = 0; r < args.rows; r += Micro::kRows) {
        for (int from = 0; from < columns; from += Micro::kPanel) {
          const GemmTile tile = {args.a + static_cast<int64_t>(r) * args.depth + first,
                                 args.depth,
                                 panels + static_cast<int64_t>(from) * depth,
                                 depth,
                                 args.c + r * args.c_stride + column + from,
                                 args.c_stride};
          const int rows = args.rows - r;
          const int width = columns - from;
          if (rows >= Micro::kRows && width >= Micro::kPanel) {
            Micro::Run(tile);
          } else {
            RunEdgeTile<Micro>(tile, rows < Micro::kRows ? rows : Micro::kRows,
                               width < Micro::kPanel ? width : Micro::kPanel);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace bdc
