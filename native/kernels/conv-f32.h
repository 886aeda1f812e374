// Real convolution without an unfolded copy: each tap reads the image at a constant offset.
#pragma once

#include <cstdint>

namespace bdc {

/// t = x + bias_in; y = (t > 0 ? t : slope · t) + bias_out, per channel. Null vectors: that step is left out.
struct ConvActivation {
  const float* bias_in = nullptr;
  const float* slope = nullptr;
  const float* bias_out = nullptr;
};

/// Rows of one image: output[o][y][x] = activation(bias[o] + Σ_k weight[o][k] · input[taps[k] + y · pitch +
/// x]). The sum of an output value is one chain of multiply-adds in the order of the taps, so it depends on
/// neither the range of a call nor the tile a value falls in.
struct ConvF32Args {
  const float* weight;   // as PackConvWeights writes
  const float* bias;     // [out_channels] or nullptr
  const int32_t* taps;   // [depth]
  const float* input;    // readable for kConvSlack values after the last one used
  float* const* output;  // [out_channels]: where row 0 of each plane starts
  ConvActivation activation;
  int out_channels, depth, width;
  int64_t pitch;   // of input rows
  float* scratch;  // ConvScratchValues(…), where depth > kConvDepth
};

/// Values past the last one used that a tile may read.
constexpr int kConvSlack = 64;
/// Taps that pass over a strip before its sums are set down; a block of weights of that depth stays in L1.
constexpr int kConvDepth = 512;
/// Output positions of a strip: whole tiles of every instruction set.
constexpr int kConvStrip = 192;

inline int64_t ConvScratchValues(int out_channels, int depth) {
  return depth > kConvDepth ? int64_t{out_channels} * kConvStrip : 0;
}

/// Output channels are computed in blocks that differ by at most one channel: [BlockBegin(b), BlockBegin(b +
/// 1)).
inline int ConvBlocks(int out_channels, int most_rows) { return (out_channels + most_rows - 1) / most_rows; }
inline int ConvBlockBegin(int out_channels, int blocks, int block) {
  return static_cast<int>(int64_t{out_channels} * block / blocks);
}

/// weight [out_channels][depth] → for each block [depth][channels of the block].
inline void PackConvWeights(const float* weight, int out_channels, int depth, int most_rows, float* packed) {
  const int blocks = ConvBlocks(out_channels, most_rows);
  for (int block = 0; block < blocks; ++block) {
    const int begin = ConvBlockBegin(out_channels, blocks, block);
    const int end = ConvBlockBegin(out_channels, blocks, block + 1);
    for (int k = 0; k < depth; ++k) {
      for (int o = begin; o < end; ++o) *packed++ = weight[int64_t{o} * depth + k];
    }
  }
}

}  // namespace bdc
