// The loops that the real convolutions of all instruction sets share. Output positions are numbered along the
// input's rows (y · pitch + x), so that a tile runs over the end of a row; the few positions between two rows
// are computed and dropped.
//
// Everything here has internal linkage on purpose: each including file is compiled for another instruction
// set.
#pragma once

#include <cstdint>

#include "kernels/conv-f32.h"

namespace bdc {
namespace {

/// One tile: Rows channels × Micro::kPanel positions, c[r][j] (Micro::kPanel apart) = c[r][j] + Σ_k ….
struct ConvTile {
  const float* weight;  // [depth][Rows]
  const int32_t* taps;
  const float* input;
  int depth;
  float* c;
};

template <typename Micro, int kRows = Micro::kMostRows>
inline void RunConvTile(int rows, const ConvTile& tile) {
  if (rows == kRows) {
    Micro::template Run<kRows>(tile);
  } else if constexpr (kRows > 1) {
    RunConvTile<Micro, kRows - 1>(rows, tile);
  }
}

inline void StoreRow(const float* from, int count, const ConvActivation& a, int channel, float* to) {
  if (a.slope == nullptr) {
    for (int i = 0; i < count; ++i) to[i] = from[i];
    return;
  }
  const float slope = a.slope[channel];
  if (a.bias_in == nullptr) {
    for (int i = 0; i < count; ++i) to[i] = from[i] > 0 ? from[i] : slope * from[i];
    return;
  }
  const float bias_in = a.bias_in[channel], bias_out = a.bias_out[channel];
  for (int i = 0; i < count; ++i) {
    const float t = from[i] + bias_in;
    to[i] = (t > 0 ? t : slope * t) + bias_out;
  }
}

/// Hands the finished sums of `count` positions from `position` on to the output rows they belong to.
inline void StoreTile(const ConvF32Args& args, const float* c, int panel, int first, int rows,
                      int64_t position, int count) {
  if (args.pitch == args.width) {
    for (int r = 0; r < rows; ++r) {
      StoreRow(c + r * panel, count, args.activation, first + r, args.output[first + r] + position);
    }
    return;
  }
  for (int i = 0; i < count;) {
    const int64_t y = (position + i) / args.pitch;
    const int x = static_cast<int>(position + i - y * args.pitch);
    const int length = args.width - x;  // what is left of the row, none between two rows
    const int part = length < count - i ? length : count - i;
    if (part > 0) {
      for (int r = 0; r < rows; ++r) {
        StoreRow(c + r * panel + i, part, args.activation, first + r,
                 args.output[first + r] + y * args.width + x);
      }
    }
    const int64_t next = args.pitch - x;
    i = next < count - i ? i + static_cast<int>(next) : count;
  }
}

template <typename Micro>
inline void RunConvF32(const ConvF32Args& args, int row_begin, int row_end) {
  constexpr int kPanel = Micro::kPanel;
  const int64_t begin = row_begin * args.pitch, end = (row_end - 1) * args.pitch + args.width;
  const int blocks = ConvBlocks(args.out_channels, Micro::kMostRows);
  alignas(64) float tile[Micro::kMostRows * kPanel];
  for (int64_t strip = begin; strip < end; strip += kConvStrip) {
    const int64_t strip_end = end - strip < kConvStrip ? end : strip + kConvStrip;
    for (int k = 0; k < args.depth; k += kConvDepth) {
      const int depth = args.depth - k < kConvDepth ? args.depth - k : kConvDepth;
      const bool is_first = k == 0, is_last = k + depth == args.depth;
      for (int block = 0; block < blocks; ++block) {
        const int first = ConvBlockBegin(args.out_channels, blocks, block);
        const int rows = ConvBlockBegin(args.out_channels, blocks, block + 1) - first;
        const float* weight = args.weight + int64_t{first} * args.depth + int64_t{k} * rows;
        for (int64_t at = strip; at < strip_end; at += kPanel) {
          float* c =
              is_first && is_last ? tile : args.scratch + int64_t{first} * kConvStrip + (at - strip) * rows;
          if (is_first) {
            for (int r = 0; r < rows; ++r) {
              const float bias = args.bias != nullptr ? args.bias[first + r] : 0.0f;
              for (int j = 0; j < kPanel; ++j) c[r * kPanel + j] = bias;
            }
          }
          RunConvTile<Micro>(rows, {weight, args.taps + k, args.input + at, depth, c});
          const int count = static_cast<int>(strip_end - at < kPanel ? strip_end - at : kPanel);
          if (is_last) StoreTile(args, c, kPanel, first, rows, at, count);
        }
      }
    }
  }
}

}  // namespace
}  // namespace bdc
