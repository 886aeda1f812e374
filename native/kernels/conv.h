// Real convolution without an unfolded copy: each tap reads the image at a constant offset.
//
// Float32 and int8 share everything but the product of a tile. An element of an int8 image is a quad: four
// channels of a pixel as the bytes of one word, the lowest channel in the lowest byte, so that a word is to
// int8 what a value is to float32: a tap's multiply-add is four products, and their sum is exact. For
// processors that multiply 16-bit values better than bytes it is a pair: two channels of 16 bits each.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "kernels/binary-block.h"

namespace bdc {

/// t = x + bias_in; y = (t > 0 ? t : slope · t) + bias_out, per channel. Null vectors: that step is left out.
struct ConvActivation {
  const float* bias_in = nullptr;
  const float* slope = nullptr;
  const float* bias_out = nullptr;
};

/// What happens to the sums, in this order, each step one IEEE operation in float32:
///   y = scale · sum + bias (int8 only); activation; y = y + residual; relu; outputs.
/// All vectors are per output channel.
struct ConvEpilogue {
  const float* scale = nullptr;
  const float* bias = nullptr;  // nullptr: none
  ConvActivation activation = {};
  /// From row 0 on, as the output; readable for kConvSlack values after the last one used.
  InputStream residual = {};
  bool relu = false;  // y < 0 ? 0 : y
  /// [out_channels]: where row 0 of each output plane starts; nullptr: none.
  void* const* output = nullptr;
  StreamType output_type = StreamType::kFloat32;
  /// q = clamp(round to nearest even(y · quantized_factor), ±127), planes `quantized_plane` bytes apart, or
  /// nullptr.
  int8_t* quantized = nullptr;
  int64_t quantized_plane = 0;
  float quantized_factor = 0.0f;
};

/// Rows of one image: output[o][y][x] = epilogue(start[o] + Σ_k weight[o][k] · input[taps[k] + y · pitch +
/// x]). A float sum is one chain of multiply-adds in the order of the taps, so it depends on neither the
/// range of a call nor the tile a value falls in; an int8 sum is an int32, exact.
template <typename Word>
struct ConvArgs {
  const Word* weight;   // as PackConvWeights writes
  const Word* start;    // [out_channels] or nullptr: 0
  const int32_t* taps;  // [depth]
  const Word* input;    // readable for kConvSlack words after the last one used
  ConvEpilogue epilogue;
  int out_channels, depth, width;
  int64_t pitch;  // of input rows
  Word* scratch;  // ConvScratchWords(…), where depth > kConvDepth
};
using ConvF32Args = ConvArgs<float>;
using ConvI8Args = ConvArgs<int32_t>;

/// How one instruction set convolves.
template <typename Word>
struct ConvKernel {
  /// Output rows [begin, end).
  void (*run)(const ConvArgs<Word>& args, int begin, int end) = nullptr;
  /// Output channels of a block of weights, at most.
  int rows = 0;
  /// Taps whose weights lie together; their places are equally far apart.
  int group = 1;
  /// What the kernel adds to each byte of an int8 input, so that sums have to start at −offset · Σ weight.
  int input_offset = 0;
  /// Channels of a word: 1 of float32, 4 of quads, 2 of pairs.
  int channels = std::is_same_v<Word, float> ? 1 : 4;

  /// Words of a pixel, the last one's other channels being 0.
  int WordsOf(int all_channels) const { return (all_channels + channels - 1) / channels; }
};

/// Words past the last one used that a tile may read.
constexpr int kConvSlack = 64;
/// Taps that pass over a strip before its sums are set down: a block of weights of that depth and what one
/// tile reads stay in L1 together.
constexpr int kConvDepth = 288;
/// Of ConvKernel::group.
constexpr int kMostGroup = 16;
/// Taps of a pass: passes are alike, for each reads and writes all sums, and whole groups of taps.
inline int ConvPassDepth(int depth) {
  const int passes = (depth + kConvDepth - 1) / kConvDepth, most = (depth + passes - 1) / passes;
  return (most + kMostGroup - 1) / kMostGroup * kMostGroup;
}
/// Output positions of a strip: whole tiles of every instruction set.
constexpr int kConvStrip = 768;

inline int64_t ConvScratchWords(int out_channels, int depth) {
  return depth > kConvDepth ? int64_t{out_channels} * kConvStrip + kConvSlack : 0;
}

/// Output channels are computed in blocks that differ by at most one channel: [BlockBegin(b), BlockBegin(b +
/// 1)).
inline int ConvBlocks(int out_channels, int most_rows) { return (out_channels + most_rows - 1) / most_rows; }
inline int ConvBlockBegin(int out_channels, int blocks, int block) {
  return static_cast<int>(int64_t{out_channels} * block / blocks);
}

/// weight [out_channels][depth] → for each block of channels, [depth / group][channels of the block][group].
template <typename Word>
void PackConvWeights(const Word* weight, int out_channels, int depth, const ConvKernel<Word>& kernel,
                     Word* packed) {
  const int blocks = ConvBlocks(out_channels, kernel.rows);
  for (int block = 0; block < blocks; ++block) {
    const int begin = ConvBlockBegin(out_channels, blocks, block);
    const int end = ConvBlockBegin(out_channels, blocks, block + 1);
    for (int k = 0; k < depth; k += kernel.group) {
      for (int o = begin; o < end; ++o) {
        packed = std::copy_n(weight + int64_t{o} * depth + k, kernel.group, packed);
      }
    }
  }
}

}  // namespace bdc
