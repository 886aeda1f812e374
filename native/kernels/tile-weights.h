// Binary weights of a 1×1 layer on real values for a matrix unit (AMX), which multiplies tiles of 16 × 64
// bytes.
//
// A tile of weights holds ±1 of 16 output channels and a chunk of input channels, one of input that chunk of
// 16 pixels; the product is 16 channels × 16 pixels, which is how planar tensors want it. Two tiles of each
// make four products:
//
//   weights [32 channels][chunk]  ·  input [chunk][32 pixels]  →  sums [32 channels][32 pixels]
//
// A chunk is 64 channels of int8 (W1A8) or 32 of bfloat16 (W1A32): a float is the exact sum of three of them,
// a float16 of two.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/aligned_buffer.h"

namespace bdc {

enum class TileElement { kInt8, kBfloat16 };

constexpr int kTileRows = 16;
constexpr int kTileBytes = kTileRows * 64;
constexpr int kTilePair = 2 * kTileRows;  // output channels, or pixels, computed at a time
constexpr int kTileFloatTerms = 3;        // bfloat16 parts of a float
constexpr int kTileHalfTerms = 2;         // and of a float16

/// Binary weights as tiles; made at load.
class TileWeights {
 public:
  /// weight [out_channels][words], word w bit b = input channel 64·w + b.
  TileWeights(int in_channels, int out_channels, const uint64_t* weight, TileElement element);

  int in_channels() const { return in_channels_; }
  int out_channels() const { return out_channels_; }
  TileElement element() const { return element_; }
  int chunks() const { return chunks_; }
  /// [chunks][2 tiles] of output channels [pair · kTilePair, …); rows past the last channel are 0.
  const std::byte* panel(int pair) const { return tiles_.data() + int64_t{pair} * chunks_ * 2 * kTileBytes; }

 private:
  int in_channels_, out_channels_;
  TileElement element_;
  int chunks_;
  AlignedBuffer<std::byte> tiles_;
};

}  // namespace bdc
