// The loops that the real convolutions of all instruction sets share. Output positions are numbered along the
// input's rows (y · pitch + x), so that a tile runs over the end of a row; the few positions between two rows
// are computed and dropped.
//
// Everything here has internal linkage on purpose: each including file is compiled for another instruction
// set.
#pragma once

#include <cstdint>
#include <type_traits>

#include "kernels/conv-epilogue.h"
#include "kernels/conv.h"

namespace bdc {
namespace {

/// One tile: Rows channels × Micro::kPanel positions, c[r][j] (Micro::kPanel apart) = start[r] + Σ_k …, or
/// c[r][j] + Σ_k ….
template <typename Word>
struct ConvTile {
  /// [depth][Rows]; of split quads [depth][2][Rows]; of a matrix unit [depth / 16][Rows][16].
  const Word* weight;
  const int32_t* taps;
  const Word* input;
  int depth;
  const Word* start;  // [Rows]; nullptr: c holds the sums of earlier taps
  Word* c;
  /// Where the sums are finished, lie in one output row and no more than a slope follows: that row of each
  /// channel ([Rows]), to which they go from value `pixel` on. nullptr: they go to c.
  void* const* output = nullptr;
  int64_t pixel = 0;
  const float* slope = nullptr;                   // [Rows]; nullptr: none
  const float *scale = nullptr, *bias = nullptr;  // [Rows]; of int8
};

/// Kernels that take ConvTile::output.
template <typename Micro>
concept StoresConvRows = requires {
  Micro::kStoresRows;
};

/// int8 kernels whose weights are split quads.
template <typename Micro>
concept SplitsQuads = requires {
  Micro::kSplitsQuads;
};

/// What a tile's sums begin with: Float's vectors or vectors of int32.
template <typename Float, int kRows, int kVectors, typename Word, typename Vector>
inline __attribute__((always_inline)) void StartSums(const ConvTile<Word>& tile,
                                                     Vector (&sums)[kRows][kVectors]) {
#pragma GCC unroll 12
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 3
    for (int v = 0; v < kVectors; ++v) {
      const Word* const kept = tile.c + (r * kVectors + v) * Float::kLanes;
      if constexpr (std::is_same_v<Word, float>) {
        sums[r][v] = tile.start != nullptr ? Float::Set(tile.start[r]) : Float::Load(kept);
      } else {
        sums[r][v] = tile.start != nullptr ? Float::SetInt32(tile.start[r]) : Float::LoadInt32(kept);
      }
    }
  }
}

/// The end of a tile of a kernel that StoresConvRows, whose sums are Float's vectors or vectors of int32.
template <typename Float, int kRows, int kVectors, typename Word, typename Vector>
inline __attribute__((always_inline)) void StoreSums(const ConvTile<Word>& tile,
                                                     const Vector (&sums)[kRows][kVectors]) {
  constexpr int kLanes = Float::kLanes;
#pragma GCC unroll 12
  for (int r = 0; r < kRows; ++r) {
    Word* const kept = tile.c + r * kVectors * kLanes;
    float* const row = tile.output == nullptr ? nullptr : static_cast<float*>(tile.output[r]) + tile.pixel;
#pragma GCC unroll 3
    for (int v = 0; v < kVectors; ++v) {
      if (row == nullptr) {
        Float::Store(kept + v * kLanes, sums[r][v]);
        continue;
      }
      typename Float::Vector y;
      if constexpr (std::is_same_v<Word, float>) {
        y = sums[r][v];
      } else {
        y = Float::Add(Float::Mul(Float::FromInt32(sums[r][v]), Float::Set(tile.scale[r])),
                       Float::Set(tile.bias[r]));
      }
      if (tile.slope != nullptr) y = Float::ScaleUnlessPositive(y, Float::Set(tile.slope[r]));
      Float::Store(row + v * kLanes, y);
    }
  }
}

template <typename Micro, int kRows = Micro::kMostRows>
inline void RunConvTile(int rows, const ConvTile<typename Micro::Word>& tile) {
  if (rows == kRows) {
    Micro::template Run<kRows>(tile);
  } else if constexpr (kRows > Micro::kFewestRows) {
    RunConvTile<Micro, kRows - 1>(rows, tile);
  }
}

/// The pieces of the `count` positions from `position` on; returns how many there are.
inline int ConvPieces(int64_t pitch, int64_t width, int64_t position, int count, ConvPiece* pieces) {
  if (pitch == width) {
    pieces[0] = {0, count, position};
    return 1;
  }
  int64_t y = position / pitch, x = position - y * pitch;
  int found = 0;
  for (int i = 0; i < count; ++y) {
    const int64_t length = width - x;  // what is left of the row, none between two rows
    const int part = static_cast<int>(length < count - i ? length : count - i);
    if (part > 0) pieces[found++] = {i, part, y * width + x};
    const int64_t next = pitch - x;
    i = next < count - i ? i + static_cast<int>(next) : count;
    x = 0;
  }
  return found;
}

template <typename Micro>
inline void RunConv(const ConvArgs<typename Micro::Word>& args, int row_begin, int row_end) {
  using Word = typename Micro::Word;
  constexpr int kPanel = Micro::kPanel;
  constexpr int kWordsPerTap = SplitsQuads<Micro> ? 2 : 1;
  static constexpr Word kZeros[Micro::kMostRows] = {};
  const int64_t begin = row_begin * args.pitch, end = (row_end - 1) * args.pitch + args.width;
  const ConvSteps steps = ConvStepsOf(args.epilogue);
  const bool is_scaled = args.epilogue.scale != nullptr && args.epilogue.bias != nullptr;
  const bool is_plain = steps == ConvSteps{.slope = steps.slope, .output = ConvStream::kFloat32} &&
                        (is_scaled || std::is_same_v<Word, float>);
  const int blocks = ConvBlocks(args.out_channels, Micro::kMostRows);
  // Longer than the tile: the epilogue may read a vector past its end.
  alignas(64) Word sums[(Micro::kMostRows + 1) * kPanel];
  ConvPiece pieces[kPanel];
  for (int64_t strip = begin; strip < end; strip += kConvStrip) {
    const int64_t strip_end = end - strip < kConvStrip ? end : strip + kConvStrip;
    for (int k = 0; k < args.depth; k += kConvDepth) {
      const int depth = args.depth - k < kConvDepth ? args.depth - k : kConvDepth;
      const bool is_first = k == 0, is_last = k + depth == args.depth;
      for (int block = 0; block < blocks; ++block) {
        const int first = ConvBlockBegin(args.out_channels, blocks, block);
        const int rows = ConvBlockBegin(args.out_channels, blocks, block + 1) - first;
        const Word* weight = args.weight + (int64_t{first} * args.depth + int64_t{k} * rows) * kWordsPerTap;
        const Word* start = args.start != nullptr ? args.start + first : kZeros;
        for (int64_t at = strip; at < strip_end; at += kPanel) {
          Word* c =
              is_first && is_last ? sums : args.scratch + int64_t{first} * kConvStrip + (at - strip) * rows;
          ConvTile<Word> tile{weight, args.taps + k, args.input + at, depth, is_first ? start : nullptr, c};
          if (!is_last) {
            RunConvTile<Micro>(rows, tile);
            continue;
          }
          const int count = static_cast<int>(strip_end - at < kPanel ? strip_end - at : kPanel);
          const int found = ConvPieces(args.pitch, args.width, at, count, pieces);
          const bool is_direct = StoresConvRows<Micro> && is_plain && found == 1 && pieces[0].count == kPanel;
          if (is_direct) {
            tile.output = args.epilogue.output + first;
            tile.pixel = pieces[0].pixel;
            if (steps.slope) tile.slope = args.epilogue.activation.slope + first;
            if (is_scaled) {
              tile.scale = args.epilogue.scale + first;
              tile.bias = args.epilogue.bias + first;
            }
          }
          RunConvTile<Micro>(rows, tile);
          if (is_direct) continue;
          StoreConvTile<typename Micro::Float, kPanel>(args.epilogue, steps, c, first, rows, pieces, found);
        }
      }
    }
  }
}

template <typename Micro>
constexpr ConvKernel<typename Micro::Word> MakeConvKernel() {
  return {.run = RunConv<Micro>,
          .rows = Micro::kMostRows,
          .group = 1,
          .input_offset = Micro::kInputOffset,
          .splits_quads = SplitsQuads<Micro>};
}

}  // namespace
}  // namespace bdc
