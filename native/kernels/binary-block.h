// A whole layer of a binary network as one call: binary convolution → batch norm → RPReLU → gate → residual →
// RPReLU → real stream out, and the next layer's sign bits or int8 values, without a trip to memory in
// between.
//
// Real tensors are planar, [channels][height · width]; so are sign bits. A call computes blocks of
// kBlockPixels consecutive output pixels (y · width + x) of a range of output channels: both axes can be
// shared among threads, whose writes never touch the same byte.
#pragma once

#include <cstdint>

namespace bdc {

/// Pixels of a block: 512 sign bits are a cache line.
constexpr int kBlockPixels = 512;

inline int64_t BlocksOf(int64_t pixels) { return (pixels + kBlockPixels - 1) / kBlockPixels; }

/// Sign planes: bit p % 64 of word p / 64 of plane c tells about pixel p of channel c (1 = +1). A plane has
/// SignPlaneWords words and starts at a cache line; bits past the last pixel are 0.
inline int64_t SignPlaneWords(int64_t pixels) { return BlocksOf(pixels) * (kBlockPixels / 64); }

/// Sizes of a binary convolution of one image.
struct BinaryConvShape {
  int in_channels, in_height, in_width;
  int out_channels, out_height, out_width;
  int kernel_h, kernel_w, stride_h, stride_w, pad_h, pad_w;

  int64_t InPixels() const { return int64_t{in_height} * in_width; }
  int64_t OutPixels() const { return int64_t{out_height} * out_width; }
  /// Taps of one output value, those on padding included.
  int64_t Depth() const { return int64_t{in_channels} * kernel_h * kernel_w; }
};

enum class StreamType { kFloat32, kFloat16 };

/// A real tensor [channels][pixels] that a block reads or writes; data = nullptr: there is none. Planes are
/// `plane` values apart (more than the image's pixels where planes are aligned).
template <typename Pointer>
struct StreamOf {
  Pointer data = nullptr;
  StreamType type = StreamType::kFloat32;
  int64_t plane = 0;
};
using InputStream = StreamOf<const void*>;
using OutputStream = StreamOf<void*>;

/// t = x + bias_in; t > 0 ? t : slope · t; + bias_out, per channel; bias_in = nullptr: none.
struct RPReLUParameters {
  const float* bias_in = nullptr;
  const float* slope = nullptr;
  const float* bias_out = nullptr;
};

struct QuantizedLines;

/// What happens to the sums of a convolution, in this order, each step one IEEE operation in float32, so that
/// it equals the steps taken one by one:
///   y = scale · sum (+ bias); activation; y = y · gate; y = y + residual; final_activation; y = y + addend;
///   y = y · factor; outputs.
/// All vectors are per output channel.
struct BlockEpilogue {
  const float* scale = nullptr;
  const float* bias = nullptr;  // nullptr: none
  RPReLUParameters activation = {};
  const float* gate = nullptr;  // nullptr: none
  InputStream residual = {};
  RPReLUParameters final_activation = {};
  InputStream addend = {};
  float factor = 1.0f;

  OutputStream stream = {};
  /// Sign bits of y for the next layer: planes of SignPlaneWords(out pixels) words, or nullptr. The bit is
  /// y >= threshold (direction +1) or y <= threshold (direction −1), of y before any rounding to float16.
  uint64_t* signs = nullptr;
  const float* threshold = nullptr;
  const int8_t* direction = nullptr;
  /// q = clamp(round to nearest even(y · quantized_factor), ±127), [channels][out pixels], or nullptr.
  int8_t* quantized = nullptr;
  float quantized_factor = 0.0f;
  /// [channels] of this epilogue, if it IsQuantizedFunction, for kernels that draw them
  /// (KernelSet::draws_lines); or nullptr.
  const QuantizedLines* lines = nullptr;
  /// Sum of y over the pixels of each block, [blocks][channels], or nullptr: the global average of the
  /// refinement branch, in an order that threads don't change.
  float* block_sums = nullptr;
};

/// What a call computes: blocks [block_begin, block_end) of output channels [channel_begin, channel_end).
struct BlockRange {
  int64_t block_begin, block_end;
  int channel_begin, channel_end;
};

class MajorityWeights;
class QuantizedTable;
class RegisterTableWeights;
class SumTableWeights;
class TileWeights;

/// W1A1 of one image: sign planes in.
struct BinaryBlockArgs {
  const MajorityWeights* weights;
  const uint64_t* input;
  BlockEpilogue epilogue;
  /// Of this epilogue, or nullptr; for kernels that look up (KernelSet::looks_up_quantized).
  const QuantizedTable* table = nullptr;
};

/// 1×1 of one image on real values, stride 1, no padding. W1A8: int8 planes [in_channels][pixels], |q| ≤ 127,
/// and epilogue.scale holding scale[o] · activation scale; the sums are exact. W1A32: planes of float or
/// float16; the sums are regrouped. One input is set, and the weights that the kernel reads.
struct PointwiseBlockArgs {
  const SumTableWeights* weights = nullptr;
  const RegisterTableWeights* registers = nullptr;
  const TileWeights* tiles = nullptr;
  const int8_t* input_s8 = nullptr;
  const float* input_f32 = nullptr;
  const uint16_t* input_f16 = nullptr;
  int64_t pixels = 0;
  BlockEpilogue epilogue = {};
};

/// No convolution: the epilogue applied to a stream (scale and bias are a batch norm; nullptr: none), e.g. z
/// · gate + residual and the next layer's signs. All that is asked of it may be the signs; it has no
/// block_sums.
struct SweepArgs {
  InputStream input;
  int64_t pixels;
  int channels;
  BlockEpilogue epilogue;
};

}  // namespace bdc
