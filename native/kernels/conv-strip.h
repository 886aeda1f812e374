// The loops that the real convolutions of all instruction sets share. Output positions are numbered along the
// input's rows (y · pitch + x), so that a tile runs over the end of a row; the few positions between two rows
// are computed and dropped.
//
// Everything here has internal linkage on purpose: each including file is compiled for another instruction
// set.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <type_traits>

#include "kernels/conv-epilogue.h"
#include "kernels/conv.h"

namespace bdc {
namespace {

enum class ConvOutput { kFloat32, kFloat16, kInt8 };

/// What becomes of a tile's sums where no residual and no bias but int8's follow them.
struct ConvTileEnd {
  /// [Rows]: a row of each channel's output, written from value `pixel` on.
  void* const* rows = nullptr;
  int64_t pixel = 0;
  ConvOutput type = ConvOutput::kFloat32;
  const float *scale = nullptr, *bias = nullptr;  // [Rows]; of int8
  const float* slope = nullptr;                   // [Rows]; nullptr: none
  bool relu = false;
  float quantized_factor = 0.0f;
};

/// One tile: Rows channels × Micro::kPanel positions, c[r][j] (Micro::kPanel apart) = start[r] + Σ_k …, or
/// c[r][j] + Σ_k ….
template <typename Word>
struct ConvTile {
  /// [depth][Rows]; of a matrix unit [depth / 16][Rows][16].
  const Word* weight;
  const int32_t* taps;
  const Word* input;
  int depth;
  const Word* start;  // [Rows]; nullptr: c holds the sums of earlier taps
  Word* c;
  /// Where the sums are finished and lie in one output row; nullptr: they go to c.
  const ConvTileEnd* end = nullptr;
};

/// Kernels that take ConvTile::end.
template <typename Micro>
concept StoresConvRows = requires {
  Micro::kStoresRows;
};

/// int8 kernels of pairs.
template <typename Micro>
concept TakesPairs = requires {
  Micro::kTakesPairs;
};

/// Asks for what a later tile reads at a tap: taps lie on as many pages as there are planes, more than a
/// processor foresees.
template <int kPanel, typename Word>
inline void FetchAhead(const Word* pixels) {
  constexpr int kLine = 64 / sizeof(Word), kAhead = 2 * kLine;
#pragma GCC unroll 2
  for (int i = 0; i < kPanel; i += kLine) __builtin_prefetch(pixels + kAhead + i);
}

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
  const ConvTileEnd* const end = tile.end;
#pragma GCC unroll 12
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 3
    for (int v = 0; v < kVectors; ++v) {
      if (end == nullptr) {
        Float::Store(tile.c + (r * kVectors + v) * kLanes, sums[r][v]);
        continue;
      }
      typename Float::Vector y;
      if constexpr (std::is_same_v<Word, float>) {
        y = sums[r][v];
      } else {
        y = Float::Add(Float::Mul(Float::FromInt32(sums[r][v]), Float::Set(end->scale[r])),
                       Float::Set(end->bias[r]));
      }
      if (end->slope != nullptr) y = Float::ScaleUnlessPositive(y, Float::Set(end->slope[r]));
      if (end->relu) y = Float::ZeroIfNegative(y);
      const int64_t at = end->pixel + v * kLanes;
      switch (end->type) {
        case ConvOutput::kFloat32:
          Float::Store(static_cast<float*>(end->rows[r]) + at, y);
          break;
        case ConvOutput::kFloat16:
          Float::StoreHalf(static_cast<uint16_t*>(end->rows[r]) + at, y);
          break;
        case ConvOutput::kInt8:
          Float::StoreQuantized(static_cast<int8_t*>(end->rows[r]) + at,
                                Float::Mul(y, Float::Set(end->quantized_factor)));
          break;
      }
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

/// A call of ConvKernel::run: strips of output positions, passes over some of the taps, blocks of channels,
/// tiles. A block's weights stay in L1 for all of a strip, so that they are read as seldom as a strip is
/// long.
template <typename Micro>
class ConvLoop {
 public:
  using Word = typename Micro::Word;

  explicit ConvLoop(const ConvArgs<Word>& args)
      : args_(args), steps_(ConvStepsOf(args.epilogue)), pass_depth_(ConvPassDepth(args.depth)) {
    const ConvEpilogue& e = args.epilogue;
    const bool has_one_output = (steps_.output != ConvStream::kNone) != steps_.quantized;
    const bool can_scale = std::is_same_v<Word, float> || (e.scale != nullptr && e.bias != nullptr);
    ends_in_tiles_ = StoresConvRows<Micro> && has_one_output && can_scale && !steps_.bias &&
                     steps_.residual == ConvStream::kNone;
    end_.rows = places_;
    end_.type = steps_.quantized                        ? ConvOutput::kInt8
                : steps_.output == ConvStream::kFloat16 ? ConvOutput::kFloat16
                                                        : ConvOutput::kFloat32;
    end_.relu = steps_.relu;
    end_.quantized_factor = e.quantized_factor;
  }

  void Run(int row_begin, int row_end) {
    const int64_t begin = row_begin * args_.pitch, end = (row_end - 1) * args_.pitch + args_.width;
    const int blocks = ConvBlocks(args_.out_channels, Micro::kMostRows);
    for (int64_t strip = begin; strip < end; strip += kConvStrip) {
      const int64_t strip_end = std::min(end, strip + kConvStrip);
      for (int k = 0; k < args_.depth; k += pass_depth_) {
        for (int block = 0; block < blocks; ++block) {
          const int first = ConvBlockBegin(args_.out_channels, blocks, block);
          const int rows = ConvBlockBegin(args_.out_channels, blocks, block + 1) - first;
          RunBlock(strip, strip_end, k, first, rows);
        }
      }
    }
  }

 private:
  static constexpr int kPanel = Micro::kPanel;
  static constexpr int64_t kLine = 64 / sizeof(Word);
  static constexpr Word kZeros[Micro::kMostRows] = {};

  /// Taps from k on of a pass, output channels [first, first + rows).
  void RunBlock(int64_t strip, int64_t strip_end, int k, int first, int rows) {
    const int depth = std::min(pass_depth_, args_.depth - k);
    const bool is_first = k == 0, is_last = k + depth == args_.depth;
    const Word* weight = args_.weight + int64_t{first} * args_.depth + int64_t{k} * rows;
    const Word* start = args_.start != nullptr ? args_.start + first : kZeros;
    if (is_last) {
      for (int r = 0; r < rows; ++r) {
        rows_[r] = ConvRow(args_.epilogue, first + r);
        places_[r] = steps_.quantized ? rows_[r].quantized : rows_[r].output;
      }
      const auto from_first = [first](const float* all) { return all == nullptr ? nullptr : all + first; };
      end_.scale = from_first(args_.epilogue.scale);
      end_.bias = from_first(args_.epilogue.bias);
      end_.slope = from_first(args_.epilogue.activation.slope);
    }
    // What the next block reads first, each tile asks for a share of: weights of deep layers lie far away.
    const Word* next = weight + int64_t{rows} * args_.depth;
    const int64_t tiles = (strip_end - strip + kPanel - 1) / kPanel;
    const int64_t share = (int64_t{rows} * depth + tiles - 1) / tiles;
    for (int64_t at = strip; at < strip_end; at += kPanel, next += share) {
      for (int64_t i = 0; i < share; i += kLine) __builtin_prefetch(next + i);
      Word* const c =
          is_first && is_last ? sums_ : args_.scratch + int64_t{first} * kConvStrip + (at - strip) * rows;
      ConvTile<Word> tile{weight, args_.taps + k, args_.input + at, depth, is_first ? start : nullptr, c};
      if (is_last) {
        Finish(tile, rows, at, static_cast<int>(std::min<int64_t>(kPanel, strip_end - at)));
      } else {
        RunConvTile<Micro>(rows, tile);
      }
    }
  }

  /// Computes a tile's last sums and what follows them, for the `count` positions from `at` on.
  void Finish(ConvTile<Word>& tile, int rows, int64_t at, int count) {
    ConvPiece pieces[kPanel];
    const int found = ConvPieces(args_.pitch, args_.width, at, count, pieces);
    if (ends_in_tiles_ && found == 1 && pieces[0].count == kPanel) {
      end_.pixel = pieces[0].pixel;
      tile.end = &end_;
      RunConvTile<Micro>(rows, tile);
      return;
    }
    RunConvTile<Micro>(rows, tile);
    StoreConvTile<typename Micro::Float, kPanel>(steps_, tile.c, std::span(rows_, rows),
                                                 std::span(pieces, found), args_.epilogue.quantized_factor);
  }

  const ConvArgs<Word>& args_;
  const ConvSteps steps_;
  const int pass_depth_;
  bool ends_in_tiles_;
  // Of the block.
  ConvTileEnd end_;
  void* places_[Micro::kMostRows];
  ConvRow rows_[Micro::kMostRows];
  /// Longer than the tile: the epilogue may read a vector past its end.
  alignas(64) Word sums_[(Micro::kMostRows + 1) * kPanel];
};

template <typename Micro>
inline void RunConv(const ConvArgs<typename Micro::Word>& args, int row_begin, int row_end) {
  ConvLoop<Micro>(args).Run(row_begin, row_end);
}

template <typename Micro>
constexpr ConvKernel<typename Micro::Word> MakeConvKernel() {
  ConvKernel<typename Micro::Word> kernel{
      .run = RunConv<Micro>, .rows = Micro::kMostRows, .group = 1, .input_offset = Micro::kInputOffset};
  if constexpr (TakesPairs<Micro>) kernel.channels = 2;
  return kernel;
}

}  // namespace
}  // namespace bdc
