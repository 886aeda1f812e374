#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/binary-block.h"

namespace bdc {

/// kSignPlanes, kFloat16 and kInt8 exist between fused operations only: one image of the first is channels
/// planes of SignPlaneWords words (kernels/binary-block.h), the others are laid out as kFloat32.
enum class ElementType { kFloat32, kBits, kUint8, kSignPlanes, kFloat16, kInt8 };

/// Words of one pixel of a bit tensor.
inline int WordsOf(int channels) { return (channels + 63) / 64; }

/// Bytes of one channel of an image of `pixels` pixels; of any type but bits, whose channels share words.
inline int64_t PlaneBytes(ElementType type, int64_t pixels) {
  switch (type) {
    case ElementType::kUint8:
    case ElementType::kInt8:
      return pixels;
    case ElementType::kSignPlanes:
      return SignPlaneWords(pixels) * 8;
    case ElementType::kFloat16:
      return pixels * 2;
    case ElementType::kFloat32:
    case ElementType::kBits:
      break;
  }
  return pixels * 4;
}

/// Largest size along an axis: with a kernel, its padding or a stride added it still fits an int.
inline constexpr int kMaxSize = 1 << 30;

/// What is known of a tensor at load. Real tensors are [batch][channels][height][width]; bits are
/// [batch][height][width][words], word w bit b = channel 64·w + b, padding bits 0.
struct TensorSpec {
  ElementType type = ElementType::kFloat32;
  /// Images; kPerCamera = as many as there are live cameras.
  int batch = 1;
  int channels = 1, height = 1, width = 1;

  static constexpr int kPerCamera = 0;

  int64_t Plane() const { return int64_t{height} * width; }
  /// Bytes of one image.
  int64_t ImageBytes() const {
    return type == ElementType::kBits ? Plane() * WordsOf(channels) * 8
                                      : channels * PlaneBytes(type, Plane());
  }
  bool operator==(const TensorSpec&) const = default;
};

/// A tensor of one frame, or a range of its channels.
struct Tensor {
  void* data;
  int batch, channels, height, width;
  ElementType type;
  int whole_channels;  // of the tensor that this is a range of: `channels` where it is all of it

  float* f32() const { return static_cast<float*>(data); }
  uint64_t* bits() const { return static_cast<uint64_t*>(data); }
  uint16_t* f16() const { return static_cast<uint16_t*>(data); }
  int8_t* s8() const { return static_cast<int8_t*>(data); }
  uint8_t* u8() const { return static_cast<uint8_t*>(data); }
  StreamType stream_type() const {
    return type == ElementType::kFloat16 ? StreamType::kFloat16 : StreamType::kFloat32;
  }
  /// Where value `index` of a real tensor lies.
  void* at(int64_t index) const {
    return type == ElementType::kFloat16 ? static_cast<void*>(f16() + index) : f32() + index;
  }
  int64_t plane() const { return int64_t{height} * width; }
  /// Values from one image to the next.
  int64_t image() const { return plane() * whole_channels; }
  /// Where plane i of all images' channels starts, in values.
  int64_t PlaneStart(int64_t i) const { return i / channels * image() + i % channels * plane(); }
  /// Channels [first, first + count).
  Tensor Channels(int first, int count) const {
    Tensor range = *this;
    range.data = static_cast<std::byte*>(data) + first * PlaneBytes(type, plane());
    range.channels = count;
    return range;
  }
};

}  // namespace bdc
