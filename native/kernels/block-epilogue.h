// The epilogue of a block (binary-block.h) for one output channel, from its integer or real sums to all
// outputs in one loop. Which steps there are is the same for a whole block, so that the branches cost
// nothing.
//
// Everything here has internal linkage on purpose: each including file is compiled for another instruction
// set.
#pragma once

#include <cstdint>
#include <cstring>

#include "kernels/binary-block.h"

namespace bdc {
namespace {

/// One channel's share of a BlockEpilogue and where its block lies.
struct ChannelEpilogue {
  float scale = 1.0f, bias = 0.0f;
  float bias_in = 0.0f, slope = 0.0f, bias_out = 0.0f;
  float gate = 0.0f;
  float final_bias_in = 0.0f, final_slope = 0.0f, final_bias_out = 0.0f;
  float threshold = 0.0f;
  uint32_t flip = 0;  // sign bit that turns y <= t into −y >= −t
  float quantized_factor = 0.0f;
  bool has_scale = false, has_bias = false, has_activation = false, has_gate = false;
  bool has_final_activation = false;
  StreamType residual_type = StreamType::kFloat32, stream_type = StreamType::kFloat32;
  const void* residual = nullptr;
  void* stream = nullptr;
  uint8_t* signs = nullptr;
  int8_t* quantized = nullptr;
  float* sum = nullptr;
  /// Bytes to the same pixels of the channel that is kChannelsAhead further on.
  int64_t residual_ahead = 0, stream_ahead = 0;
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
  if ((c.has_scale = e.scale != nullptr)) c.scale = e.scale[channel];
  if ((c.has_bias = e.bias != nullptr)) c.bias = e.bias[channel];
  if ((c.has_activation = e.activation.bias_in != nullptr)) {
    c.bias_in = e.activation.bias_in[channel];
    c.slope = e.activation.slope[channel];
    c.bias_out = e.activation.bias_out[channel];
  }
  if ((c.has_gate = e.gate != nullptr)) c.gate = e.gate[channel];
  if (e.residual.data != nullptr) {
    c.residual = static_cast<const uint8_t*>(e.residual.data) + OffsetIn(e.residual, channel, pixel);
    c.residual_type = e.residual.type;
    c.residual_ahead = OffsetIn(e.residual, kChannelsAhead, 0);
  }
  if ((c.has_final_activation = e.final_activation.bias_in != nullptr)) {
    c.final_bias_in = e.final_activation.bias_in[channel];
    c.final_slope = e.final_activation.slope[channel];
    c.final_bias_out = e.final_activation.bias_out[channel];
  }
  if (e.stream.data != nullptr) {
    c.stream = static_cast<uint8_t*>(e.stream.data) + OffsetIn(e.stream, channel, pixel);
    c.stream_type = e.stream.type;
    c.stream_ahead = OffsetIn(e.stream, kChannelsAhead, 0);
  }
  if (e.signs != nullptr) {
    c.signs =
        reinterpret_cast<uint8_t*>(e.signs + channel * SignPlaneWords(pixels)) + block * (kBlockPixels / 8);
    c.threshold = e.threshold[channel];
    if (e.direction[channel] < 0) {
      c.threshold = -c.threshold;
      c.flip = 0x80000000u;
    }
  }
  if (e.quantized != nullptr) {
    c.quantized = e.quantized + channel * pixels + pixel;
    c.quantized_factor = e.quantized_factor;
  }
  if (e.block_sums != nullptr) c.sum = e.block_sums + block * channels + channel;
  return c;
}

/// Runs `Float`'s vectors over a whole block. `load(i)` gives the vector at pixel i of the sums. kRare: gate,
/// final activation, int8 values or sums may be wanted.
template <typename Float, bool kRare, typename Load>
inline __attribute__((always_inline)) void RunFullBlockOf(const ChannelEpilogue& c, const Load& load) {
  using Vector = typename Float::Vector;
  const Vector scale = Float::Set(c.scale), bias = Float::Set(c.bias), gate = Float::Set(c.gate);
  const Vector bias_in = Float::Set(c.bias_in), slope = Float::Set(c.slope);
  const Vector bias_out = Float::Set(c.bias_out);
  const Vector threshold = Float::Set(c.threshold), factor = Float::Set(c.quantized_factor);
  const auto flip = Float::SetBits(c.flip);
  const bool has_scale = c.has_scale, has_bias = c.has_bias, has_activation = c.has_activation;
  const bool residual_is_half = c.residual_type == StreamType::kFloat16;
  const bool stream_is_half = c.stream_type == StreamType::kFloat16;
  const float* const residual_f32 = static_cast<const float*>(c.residual);
  const uint16_t* const residual_f16 = static_cast<const uint16_t*>(c.residual);
  float* const stream_f32 = static_cast<float*>(c.stream);
  uint16_t* const stream_f16 = static_cast<uint16_t*>(c.stream);
  uint8_t* const signs = c.signs;
  // Partial sums of pixels i mod 16, whatever the vector's width, so that all instruction sets add in one
  // order.
  constexpr int kVectors = 16 / Float::kLanes;
  Vector sums[kVectors];
  for (int v = 0; v < kVectors; ++v) sums[v] = Float::Set(0.0f);
  const auto prefetch = [](const void* from, int64_t i, StreamType type, int64_t ahead) {
    __builtin_prefetch(static_cast<const uint8_t*>(from) + i * BytesOf(type) + ahead, 0, 3);
  };
  for (int i = 0; i < kBlockPixels; i += 16) {
    uint32_t bits = 0;
    if (residual_f32 != nullptr) prefetch(c.residual, i, c.residual_type, c.residual_ahead);
    if (stream_f32 != nullptr) {
      __builtin_prefetch(static_cast<uint8_t*>(c.stream) + i * BytesOf(c.stream_type) + c.stream_ahead, 1, 3);
    }
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const int at = i + v * Float::kLanes;
      Vector y = load(at);
      if (has_scale) y = Float::Mul(y, scale);
      if (has_bias) y = Float::Add(y, bias);
      if (has_activation) {
        y = Float::Add(y, bias_in);
        y = Float::Add(Float::ScaleUnlessPositive(y, slope), bias_out);
      }
      if (kRare && c.has_gate) y = Float::Mul(y, gate);
      if (residual_f32 != nullptr) {
        y = Float::Add(
            y, residual_is_half ? Float::LoadHalf(residual_f16 + at) : Float::Load(residual_f32 + at));
      }
      if (kRare && c.has_final_activation) {
        y = Float::Add(y, Float::Set(c.final_bias_in));
        y = Float::Add(Float::ScaleUnlessPositive(y, Float::Set(c.final_slope)),
                       Float::Set(c.final_bias_out));
      }
      if (stream_f32 != nullptr) {
        if (stream_is_half) {
          Float::StoreHalf(stream_f16 + at, y);
        } else {
          Float::Store(stream_f32 + at, y);
        }
      }
      if (signs != nullptr) {
        bits |= Float::NotBelow(Float::Flip(y, flip), threshold) << (v * Float::kLanes);
      }
      if (kRare && c.quantized != nullptr) Float::StoreQuantized(c.quantized + at, Float::Mul(y, factor));
      if (kRare && c.sum != nullptr) sums[v] = Float::Add(sums[v], y);
    }
    if (signs != nullptr) {
      const uint16_t half = static_cast<uint16_t>(bits);
      std::memcpy(signs + i / 8, &half, sizeof half);
    }
  }
  if (kRare && c.sum != nullptr) {
    alignas(64) float parts[16];
    for (int v = 0; v < kVectors; ++v) Float::Store(parts + v * Float::kLanes, sums[v]);
    for (int width = 8; width > 0; width /= 2) {
      for (int i = 0; i < width; ++i) parts[i] += parts[i + width];
    }
    *c.sum = parts[0];
  }
}

template <typename Float, typename Load>
inline __attribute__((always_inline)) void RunFullBlock(const ChannelEpilogue& c, const Load& load) {
  if (c.has_gate || c.has_final_activation || c.quantized != nullptr || c.sum != nullptr) {
    RunFullBlockOf<Float, true>(c, load);
  } else {
    RunFullBlockOf<Float, false>(c, load);
  }
}

/// A last block of fewer pixels: real tensors go through buffers, so that nothing past them is touched, and
/// bits past the last pixel become 0.
template <typename Float, typename Load>
inline void RunPartialBlock(ChannelEpilogue c, int pixels, const Load& load) {
  alignas(64) uint8_t residual[kBlockPixels * 4] = {};
  alignas(64) uint8_t stream[kBlockPixels * 4];
  alignas(64) int8_t quantized[kBlockPixels];
  alignas(64) float values[kBlockPixels];
  const ChannelEpilogue whole = c;
  if (c.residual != nullptr) {
    std::memcpy(residual, c.residual, pixels * BytesOf(c.residual_type));
    c.residual = residual;
  }
  if (c.stream != nullptr) c.stream = stream;
  if (c.quantized != nullptr) c.quantized = quantized;
  c.sum = nullptr;
  RunFullBlock<Float>(c, load);
  if (whole.stream != nullptr) std::memcpy(whole.stream, stream, pixels * BytesOf(c.stream_type));
  if (whole.quantized != nullptr) std::memcpy(whole.quantized, quantized, pixels);
  if (whole.signs != nullptr) {
    for (int i = 0; i < kBlockPixels / 8; ++i) {
      const int used = pixels - 8 * i;
      if (used < 8) whole.signs[i] &= used <= 0 ? 0 : static_cast<uint8_t>((1u << used) - 1);
    }
  }
  if (whole.sum == nullptr) return;
  ChannelEpilogue again = c;  // the same values once more, those past the end replaced by zeros
  again.stream = values;
  again.stream_type = StreamType::kFloat32;
  again.signs = nullptr;
  again.quantized = nullptr;
  RunFullBlock<Float>(again, load);
  float parts[16] = {};
  for (int i = 0; i < pixels; ++i) parts[i % 16] += values[i];
  for (int width = 8; width > 0; width /= 2) {
    for (int i = 0; i < width; ++i) parts[i] += parts[i + width];
  }
  *whole.sum = parts[0];
}

template <typename Float, typename Load>
inline __attribute__((always_inline)) void RunEpilogue(const ChannelEpilogue& c, int64_t pixels_left,
                                                       const Load& load) {
  if (pixels_left >= kBlockPixels) {
    RunFullBlock<Float>(c, load);
  } else {
    RunPartialBlock<Float>(c, static_cast<int>(pixels_left), load);
  }
}

/// SweepArgs: the epilogue of values that lie in memory.
template <typename Float>
inline void RunSweep(const SweepArgs& args, const BlockRange& range) {
  for (int64_t block = range.block_begin; block < range.block_end; ++block) {
    const int64_t pixel = block * kBlockPixels, left = args.pixels - pixel;
    for (int channel = range.channel_begin; channel < range.channel_end; ++channel) {
      const ChannelEpilogue c = EpilogueOf(args.epilogue, args.channels, channel, block, args.pixels);
      alignas(64) uint8_t copy[kBlockPixels * 4];
      const uint8_t* input =
          static_cast<const uint8_t*>(args.input.data) + OffsetIn(args.input, channel, pixel);
      if (left < kBlockPixels) {
        std::memcpy(copy, input, left * BytesOf(args.input.type));
        input = copy;
      }
      if (args.input.type == StreamType::kFloat16) {
        RunEpilogue<Float>(c, left, [input](int i) {
          return Float::LoadHalf(reinterpret_cast<const uint16_t*>(input) + i);
        });
      } else {
        RunEpilogue<Float>(c, left,
                           [input](int i) { return Float::Load(reinterpret_cast<const float*>(input) + i); });
      }
    }
  }
}

}  // namespace
}  // namespace bdc
