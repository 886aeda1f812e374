#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/binary-block.h"
#include "kernels/conv.h"
#include "kernels/planes.h"
#include "runtime/isa.h"

namespace bdc {

/// Sign bits of one image. Memory layout of bits: [height][width][words], word w bit b = channel 64·w + b,
/// padding bits 0.
struct PackSignsArgs {
  const float* input;       // [channels][height][width]
  const float* threshold;   // [channels]
  const int8_t* direction;  // [channels]; +1: bit = x >= threshold, -1: bit = x <= threshold
  uint64_t* output;         // [height][width][words]
  int channels, height, width;
};

/// Binary convolution of one image: output[o] = scale[o] · Σ(±1 · ±1) + bias[o], taps outside the image
/// contribute 0.
struct BinaryConv2dArgs {
  const uint64_t* input;   // [in_height][in_width][words], as PackSigns writes
  const uint64_t* weight;  // [out_channels][kernel_h][kernel_w][words]
  const float* scale;      // [out_channels]
  const float* bias;       // [out_channels] or nullptr
  float* output;           // [out_channels][out_height][out_width]
  int in_channels, in_height, in_width;
  int out_channels, out_height, out_width;
  int kernel_h, kernel_w, stride_h, stride_w, pad_h, pad_w;
};

/// The kernels of one instruction set. Each call computes a range, so that threads can share the work; none
/// allocates.
struct KernelSet {
  Isa isa;
  /// Image rows [begin, end).
  void (*pack_signs)(const PackSignsArgs& args, int begin, int end);
  /// Output rows [begin, end).
  void (*binary_conv2d)(const BinaryConv2dArgs& args, int begin, int end);
  /// Whole binary layers (binary-block.h); scratch: binary_block_scratch bytes for the range's channels, from
  /// a cache line on.
  void (*binary_block)(const BinaryBlockArgs& args, const BlockRange& range, std::byte* scratch);
  int64_t (*binary_block_scratch)(const MajorityWeights& weights, int channels);
  /// Whether binary_block takes BinaryBlockArgs::table.
  bool looks_up_quantized = false;
  /// Whether it takes BlockEpilogue::lines.
  bool draws_lines = false;
  void (*pointwise_block)(const PointwiseBlockArgs& args, const BlockRange& range, std::byte* scratch);
  int64_t (*pointwise_block_scratch)(int channels);
  /// The same of args.registers, for layers of at least kRegisterTablesFrom output channels; nullptr: tables
  /// in memory are faster.
  void (*pointwise_registers)(const PointwiseBlockArgs& args, const BlockRange& range,
                              std::byte* scratch) = nullptr;
  int64_t (*pointwise_registers_scratch)(int channels) = nullptr;
  /// The same of args.tiles on a matrix unit; nullptr: there is none.
  void (*pointwise_tiles)(const PointwiseBlockArgs& args, const BlockRange& range,
                          std::byte* scratch) = nullptr;
  int64_t (*pointwise_tiles_scratch)(const TileWeights& weights) = nullptr;
  void (*sweep)(const SweepArgs& args, const BlockRange& range);
  const ConvKernel<float>* conv_f32;
  const ConvKernel<int32_t>* conv_i8;
  /// The same on a matrix unit, of whole groups of taps and whole blocks of output channels; nullptr: there
  /// is none.
  const ConvKernel<int32_t>* conv_i8_tiles = nullptr;
  const PlaneKernels& planes;
};

/// The set for `isa`, and in the .cc the reason for each choice.
const KernelSet& SelectKernels(Isa isa);

}  // namespace bdc
