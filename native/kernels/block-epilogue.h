// The epilogue of a block (binary-block.h) for one output channel, from its integer or real sums to all
// outputs in one loop. Which steps there are is the same for a whole block, so that the branches cost
// nothing.
//
// Everything here has internal linkage on purpose: each including file is compiled for another instruction
// set.
#pragma once

#include <cstdint>
#include <cstring>
#include <iterator>

#include "kernels/binary-block.h"
#include "kernels/epilogue-steps.h"
#include "kernels/quantized-lines.h"

namespace bdc {
namespace {

/// Vectors that draw lines.
template <typename Float>
concept DrawsLines = requires {
  &Float::MulAdd;
};

inline EpilogueStream StepOf(StreamType type) {
  return type == StreamType::kFloat32 ? EpilogueStream::kFloat32 : EpilogueStream::kFloat16;
}

/// One channel's share of a BlockEpilogue and where its block lies.
struct ChannelEpilogue {
  float scale = 1.0f, bias = -0.0f;  // x + −0 is x, whatever x
  float bias_in = 0.0f, slope = 0.0f, bias_out = 0.0f;
  float gate = 0.0f;
  float final_bias_in = 0.0f, final_slope = 0.0f, final_bias_out = 0.0f;
  float threshold = 0.0f;
  uint32_t flip = 0;  // sign bit that turns y <= t into −y >= −t
  float quantized_factor = 0.0f;
  const QuantizedLines* lines = nullptr;
  EpilogueSteps steps;
  float factor = 1.0f;
  const void* residual = nullptr;
  const void* addend = nullptr;
  void* stream = nullptr;
  uint8_t* signs = nullptr;
  int8_t* quantized = nullptr;
  float* sum = nullptr;
  /// Bytes to what is asked for meanwhile: the same pixels of the channel that is kChannelsAhead further on,
  /// or in sweeps the same channel's next block.
  int64_t residual_ahead = 0, stream_ahead = 0, quantized_ahead = 0;
};

/// A block of a channel is a kilobyte or two of a plane, too short for the prefetcher of a CPU to help; so
/// the epilogue asks for the lines of a later channel.
constexpr int kChannelsAhead = 4;

inline int64_t BytesOf(StreamType type) { return type == StreamType::kFloat32 ? 4 : 2; }

template <typename Stream>
inline int64_t OffsetIn(const Stream& stream, int64_t channel, int64_t pixel) {
  return (channel * stream.plane + pixel) * BytesOf(stream.type);
}

inline ChannelEpilogue EpilogueOf(const BlockEpilogue& e, int channels, int channel, int64_t block,
                                  int64_t pixels) {
  ChannelEpilogue c;
  const int64_t pixel = block * kBlockPixels;
  c.steps.scale = e.scale != nullptr || e.bias != nullptr;
  if (e.scale != nullptr) c.scale = e.scale[channel];
  if (e.bias != nullptr) c.bias = e.bias[channel];
  if ((c.steps.activation = e.activation.bias_in != nullptr)) {
    c.bias_in = e.activation.bias_in[channel];
    c.slope = e.activation.slope[channel];
    c.bias_out = e.activation.bias_out[channel];
  }
  if ((c.steps.gate = e.gate != nullptr)) c.gate = e.gate[channel];
  if (e.residual.data != nullptr) {
    c.residual = static_cast<const uint8_t*>(e.residual.data) + OffsetIn(e.residual, channel, pixel);
    c.steps.residual = StepOf(e.residual.type);
    c.residual_ahead = OffsetIn(e.residual, kChannelsAhead, 0);
  }
  if (e.addend.data != nullptr) {
    c.addend = static_cast<const uint8_t*>(e.addend.data) + OffsetIn(e.addend, channel, pixel);
    c.steps.addend = StepOf(e.addend.type);
  }
  if ((c.steps.factor = e.factor != 1.0f)) c.factor = e.factor;
  if ((c.steps.final_activation = e.final_activation.bias_in != nullptr)) {
    c.final_bias_in = e.final_activation.bias_in[channel];
    c.final_slope = e.final_activation.slope[channel];
    c.final_bias_out = e.final_activation.bias_out[channel];
  }
  if (e.stream.data != nullptr) {
    c.stream = static_cast<uint8_t*>(e.stream.data) + OffsetIn(e.stream, channel, pixel);
    c.steps.stream = StepOf(e.stream.type);
    c.stream_ahead = OffsetIn(e.stream, kChannelsAhead, 0);
  }
  if ((c.steps.signs = e.signs != nullptr)) {
    c.signs =
        reinterpret_cast<uint8_t*>(e.signs + channel * SignPlaneWords(pixels)) + block * (kBlockPixels / 8);
    c.threshold = e.threshold[channel];
    if (e.direction[channel] < 0) {
      c.threshold = -c.threshold;
      c.flip = 0x80000000u;
    }
  }
  if ((c.steps.quantized = e.quantized != nullptr)) {
    c.quantized = e.quantized + channel * pixels + pixel;
    c.quantized_ahead = kChannelsAhead * pixels;
    c.quantized_factor = e.quantized_factor;
    if (e.lines != nullptr && e.lines[channel].is_exact) {
      c.lines = &e.lines[channel];
      c.steps = {.quantized = true,
                 .line = c.lines->takes_larger ? EpilogueLine::kLarger : EpilogueLine::kSmaller};
    }
  }
  if ((c.steps.sum = e.block_sums != nullptr)) c.sum = e.block_sums + block * channels + channel;
  return c;
}

/// Pixels that are worked on together, the lanes of the widest vector.
constexpr int kStepPixels = 16;

/// int8 values of the first `pixels` of a block by two lines.
template <typename Float, typename Load>
inline __attribute__((always_inline)) void RunLines(EpilogueLine line, const ChannelEpilogue& c, int pixels,
                                                    const Load& load) {
  using Vector = typename Float::Vector;
  constexpr int kVectors = kStepPixels / Float::kLanes;
  const QuantizedLines& lines = *c.lines;
  const Vector slope[2] = {Float::Set(lines.slope[0]), Float::Set(lines.slope[1])};
  const Vector offset[2] = {Float::Set(lines.offset[0]), Float::Set(lines.offset[1])};
  for (int i = 0; i < pixels; i += kStepPixels) {
    if (i % 64 == 0) __builtin_prefetch(c.quantized + i + c.quantized_ahead, 1, 3);
    Vector y[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const Vector sum = load(i + v * Float::kLanes);
      const Vector a = Float::MulAdd(sum, slope[0], offset[0]), b = Float::MulAdd(sum, slope[1], offset[1]);
      y[v] = line == EpilogueLine::kLarger ? Float::Max(a, b) : Float::Min(a, b);
    }
    Float::StoreRounded(c.quantized + i, y);
  }
}

/// Runs `Float`'s vectors over the first `pixels` of a block, a multiple of kStepPixels. `load(i)` gives the
/// vector at pixel i of the sums. Where `steps` is a constant the compiler leaves the others out.
/// `lane_sums`, [kStepPixels]: where the sums of y over pixels i mod kStepPixels go, if they are asked for.
template <typename Float, typename Load>
inline __attribute__((always_inline)) void RunSteps(const EpilogueSteps& steps, const ChannelEpilogue& c,
                                                    int pixels, const Load& load, float* lane_sums) {
  using Vector = typename Float::Vector;
  // A copy that no other function knows of: else what it holds is read again after each store.
  const Load load_sums = load;
  const Vector scale = Float::Set(c.scale), bias = Float::Set(c.bias), gate = Float::Set(c.gate);
  const Vector bias_in = Float::Set(c.bias_in), slope = Float::Set(c.slope);
  const Vector bias_out = Float::Set(c.bias_out);
  const Vector threshold = Float::Set(c.threshold), factor = Float::Set(c.quantized_factor);
  const auto flip = Float::SetBits(c.flip);
  const float* const residual_f32 = static_cast<const float*>(c.residual);
  const uint16_t* const residual_f16 = static_cast<const uint16_t*>(c.residual);
  float* const stream_f32 = static_cast<float*>(c.stream);
  uint16_t* const stream_f16 = static_cast<uint16_t*>(c.stream);
  uint8_t* const signs = c.signs;
  constexpr int kVectors = kStepPixels / Float::kLanes;
  if constexpr (DrawsLines<Float>) {
    if (steps.line != EpilogueLine::kNone) {
      RunLines<Float>(steps.line, c, pixels, load_sums);
      return;
    }
  }
  Vector sums[kVectors];
  for (int v = 0; v < kVectors; ++v) sums[v] = Float::Set(0.0f);
  for (int i = 0; i < pixels; i += kStepPixels) {
    uint32_t bits = 0;
    // Lines of 64 bytes: every second step touches a new one of a float16 stream, every fourth one of int8.
    if (steps.residual == EpilogueStream::kFloat32 ||
        (steps.residual != EpilogueStream::kNone && i % 32 == 0)) {
      const int64_t at = i * (steps.residual == EpilogueStream::kFloat32 ? 4 : 2);
      __builtin_prefetch(static_cast<const uint8_t*>(c.residual) + at + c.residual_ahead, 0, 3);
    }
    if (steps.stream == EpilogueStream::kFloat32 || (steps.stream != EpilogueStream::kNone && i % 32 == 0)) {
      const int64_t at = i * (steps.stream == EpilogueStream::kFloat32 ? 4 : 2);
      __builtin_prefetch(static_cast<uint8_t*>(c.stream) + at + c.stream_ahead, 1, 3);
    }
    if (steps.quantized && i % 64 == 0) __builtin_prefetch(c.quantized + i + c.quantized_ahead, 1, 3);
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const int at = i + v * Float::kLanes;
      Vector y = load_sums(at);
      if (steps.scale) y = Float::Add(Float::Mul(y, scale), bias);
      if (steps.activation) {
        y = Float::Add(y, bias_in);
        y = Float::Add(Float::ScaleUnlessPositive(y, slope), bias_out);
      }
      if (steps.gate) y = Float::Mul(y, gate);
      if (steps.residual == EpilogueStream::kFloat16) {
        y = Float::Add(y, Float::LoadHalf(residual_f16 + at));
      } else if (steps.residual == EpilogueStream::kFloat32) {
        y = Float::Add(y, Float::Load(residual_f32 + at));
      }
      if (steps.final_activation) {
        y = Float::Add(y, Float::Set(c.final_bias_in));
        y = Float::Add(Float::ScaleUnlessPositive(y, Float::Set(c.final_slope)),
                       Float::Set(c.final_bias_out));
      }
      if (steps.addend == EpilogueStream::kFloat16) {
        y = Float::Add(y, Float::LoadHalf(static_cast<const uint16_t*>(c.addend) + at));
      } else if (steps.addend == EpilogueStream::kFloat32) {
        y = Float::Add(y, Float::Load(static_cast<const float*>(c.addend) + at));
      }
      if (steps.factor) y = Float::Mul(y, Float::Set(c.factor));
      if (steps.stream == EpilogueStream::kFloat16) {
        Float::StoreHalf(stream_f16 + at, y);
      } else if (steps.stream == EpilogueStream::kFloat32) {
        Float::Store(stream_f32 + at, y);
      }
      if (steps.signs) bits |= Float::NotBelow(Float::Flip(y, flip), threshold) << (v * Float::kLanes);
      if (steps.quantized) Float::StoreQuantized(c.quantized + at, Float::Mul(y, factor));
      if (steps.sum) sums[v] = Float::Add(sums[v], y);
    }
    if (steps.signs) {
      const uint16_t half = static_cast<uint16_t>(bits);
      std::memcpy(signs + i / 8, &half, sizeof half);
    }
  }
  if (!steps.sum) return;
  for (int v = 0; v < kVectors; ++v) Float::Store(lane_sums + v * Float::kLanes, sums[v]);
}

template <typename Float, const auto& kUsual, size_t kIndex = 0, typename Load>
inline __attribute__((always_inline)) void RunWholeSteps(uint32_t key, const ChannelEpilogue& c, int pixels,
                                                         const Load& load, float* lane_sums) {
  if constexpr (kIndex < std::size(kUsual)) {
    constexpr EpilogueSteps kSteps = kUsual[kIndex];
    if (key == kSteps.Key()) {
      RunSteps<Float>(kSteps, c, pixels, load, lane_sums);
    } else {
      RunWholeSteps<Float, kUsual, kIndex + 1>(key, c, pixels, load, lane_sums);
    }
  } else {
    const EpilogueSteps steps = c.steps;
    RunSteps<Float>(steps, c, pixels, load, lane_sums);
  }
}

/// Copies `count` values of `bytes` each and makes the rest of a step 0: what lies there by chance may be
/// denormal, which takes processors a hundred times as long.
inline void CopyStep(void* to, const void* from, int count, int bytes) {
  std::memcpy(to, from, count * bytes);
  std::memset(static_cast<uint8_t*>(to) + count * bytes, 0, (kStepPixels - count) * bytes);
}

/// The last `count` pixels of a plane, fewer than a step, from pixel `at` of the block on: real tensors go
/// through buffers, so that nothing past them is touched, and bits past the last pixel become 0. `load()`
/// gives the vectors from pixel `at` on.
template <typename Float, typename Load>
inline void RunLastStep(ChannelEpilogue c, int at, int count, const Load& load, float* lane_sums) {
  const auto bytes_of = [](EpilogueStream type) { return type == EpilogueStream::kFloat32 ? 4 : 2; };
  alignas(64) uint8_t residual[kStepPixels * 4];
  alignas(64) uint8_t addend[kStepPixels * 4];
  alignas(64) uint8_t stream[kStepPixels * 4];
  alignas(64) int8_t quantized[kStepPixels];
  alignas(64) float values[kStepPixels];
  uint16_t signs = 0;
  const ChannelEpilogue whole = c;
  const auto copy = [&](EpilogueStream type, uint8_t* to, const void*& from) {
    if (type == EpilogueStream::kNone) return;
    CopyStep(to, static_cast<const uint8_t*>(from) + at * bytes_of(type), count, bytes_of(type));
    from = to;
  };
  copy(c.steps.residual, residual, c.residual);
  copy(c.steps.addend, addend, c.addend);
  c.stream = stream;
  c.quantized = quantized;
  c.signs = reinterpret_cast<uint8_t*>(&signs);
  c.steps.sum = false;
  RunSteps<Float>(c.steps, c, kStepPixels, load, lane_sums);
  if (whole.stream != nullptr) {
    const int bytes = bytes_of(c.steps.stream);
    std::memcpy(static_cast<uint8_t*>(whole.stream) + at * bytes, stream, count * bytes);
  }
  if (whole.quantized != nullptr) std::memcpy(whole.quantized + at, quantized, count);
  if (whole.signs != nullptr) {
    signs &= static_cast<uint16_t>((1u << count) - 1);
    std::memcpy(whole.signs + at / 8, &signs, sizeof signs);
  }
  if (whole.sum == nullptr) return;
  ChannelEpilogue again = c;  // the same values once more, for those past the end to be left out
  again.stream = values;
  again.steps.stream = EpilogueStream::kFloat32;
  again.steps.signs = again.steps.quantized = false;
  RunSteps<Float>(again.steps, again, kStepPixels, load, lane_sums);
  for (int i = 0; i < count; ++i) lane_sums[i] += values[i];
}

/// Σ of the lanes, the two halves added to each other again and again: one order on all instruction sets.
inline float SumOfLanes(const float (&lanes)[kStepPixels]) {
  typedef float Four __attribute__((vector_size(16)));
  Four parts[4];
  static_assert(sizeof parts == sizeof lanes);
  std::memcpy(parts, lanes, sizeof parts);
  const Four sums = (parts[0] + parts[2]) + (parts[1] + parts[3]);
  return (sums[0] + sums[2]) + (sums[1] + sums[3]);
}

/// The next `pixels` pixels of a channel, whole blocks or up to the plane's end. `kUsual`: the steps that
/// have loops of their own. `load(i)` gives the vector at pixel i of the sums; `load_last(i)` does so in the
/// last step of a plane that ends within it, i then counting from the step's first pixel.
template <typename Float, const auto& kUsual, typename Load, typename LoadLast>
inline __attribute__((always_inline)) void RunEpilogue(const ChannelEpilogue& c, int pixels, const Load& load,
                                                       const LoadLast& load_last) {
  const int whole = pixels / kStepPixels * kStepPixels;
  alignas(64) float lane_sums[kStepPixels] = {};
  RunWholeSteps<Float, kUsual>(c.steps.Key(), c, whole, load, lane_sums);
  if (whole < pixels) RunLastStep<Float>(c, whole, pixels - whole, load_last, lane_sums);
  if (c.signs != nullptr && pixels % kBlockPixels != 0) {
    const int end = (pixels + kStepPixels - 1) / kStepPixels * kStepPixels;
    const int block_end = (pixels + kBlockPixels - 1) / kBlockPixels * kBlockPixels;
    std::memset(c.signs + end / 8, 0, (block_end - end) / 8);
  }
  if (c.sum != nullptr) *c.sum = SumOfLanes(lane_sums);
}

/// Sums of a block of a convolution, which are readable to the end of a step.
template <typename Float, typename Load>
inline __attribute__((always_inline)) void RunEpilogue(const ChannelEpilogue& c, int64_t pixels_left,
                                                       const Load& load) {
  const int pixels = pixels_left < kBlockPixels ? static_cast<int>(pixels_left) : kBlockPixels;
  const int whole = pixels / kStepPixels * kStepPixels;
  RunEpilogue<Float, kConvolutionSteps>(c, pixels, load, [&load, whole](int i) { return load(whole + i); });
}

/// What follows the sums of a block of a 1×1 layer, int16 or float: [channels of the range], `row` apart. A
/// function of its own, since inlined it takes registers from the look-ups.
template <typename Float, typename Sum>
inline __attribute__((noinline)) void RunEpilogues(const PointwiseBlockArgs& args, const BlockRange& range,
                                                   int64_t block, int out_channels, const Sum* sums,
                                                   int64_t row) {
  for (int channel = range.channel_begin; channel < range.channel_end; ++channel, sums += row) {
    const ChannelEpilogue epilogue = EpilogueOf(args.epilogue, out_channels, channel, block, args.pixels);
    RunEpilogue<Float>(epilogue, args.pixels - block * kBlockPixels, [sums](int i) {
      if constexpr (sizeof(Sum) == 2) {
        return Float::FromInt16(sums + i);
      } else {
        return Float::Load(sums + i);
      }
    });
  }
}

/// SweepArgs: the epilogue of values that lie in memory.
template <typename Float>
inline void RunSweep(const SweepArgs& args, const BlockRange& range) {
  // Along the planes, as a CPU's prefetcher wants it, many blocks at a time; an int counts their bytes.
  constexpr int64_t kMostBlocks = 64;
  for (int channel = range.channel_begin; channel < range.channel_end; ++channel) {
    for (int64_t block = range.block_begin; block < range.block_end; block += kMostBlocks) {
      const int64_t pixel = block * kBlockPixels, left = args.pixels - pixel;
      const int64_t rest_blocks = range.block_end - block;
      const int64_t blocks = kMostBlocks < rest_blocks ? kMostBlocks : rest_blocks;
      const int pixels = static_cast<int>(left < blocks * kBlockPixels ? left : blocks * kBlockPixels);
      ChannelEpilogue c = EpilogueOf(args.epilogue, args.channels, channel, block, args.pixels);
      c.residual_ahead = BytesOf(args.epilogue.residual.type) * kBlockPixels;
      c.stream_ahead = BytesOf(args.epilogue.stream.type) * kBlockPixels;
      c.quantized_ahead = kBlockPixels;
      const uint8_t* input =
          static_cast<const uint8_t*>(args.input.data) + OffsetIn(args.input, channel, pixel);
      const int rest = pixels % kStepPixels;
      alignas(64) uint8_t last[kStepPixels * 4];
      const auto bytes = static_cast<int>(BytesOf(args.input.type));
      if (rest > 0) CopyStep(last, input + (pixels - rest) * bytes, rest, bytes);
      const auto run = [&](const auto& load) {
        RunEpilogue<Float, kSweepSteps>(
            c, pixels, [&load, input](int i) { return load(input, i); },
            [&](int i) { return load(last, i); });
      };
      if (args.input.type == StreamType::kFloat16) {
        run([](const uint8_t* from, int i) {
          return Float::LoadHalf(reinterpret_cast<const uint16_t*>(from) + i);
        });
      } else {
        run([](const uint8_t* from, int i) { return Float::Load(reinterpret_cast<const float*>(from) + i); });
      }
    }
  }
}

}  // namespace
}  // namespace bdc
