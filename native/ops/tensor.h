#pragma once

#include <cstdint>

#include "kernels/binary-block.h"

namespace bdc {

/// kSignPlanes, kFloat16 and kInt8 exist between fused operations only: one image of the first is channels
/// planes of SignPlaneWords words (kernels/binary-block.h), the others are laid out as kFloat32.
enum class ElementType { kFloat32, kBits, kUint8, kSignPlanes, kFloat16, kInt8 };

/// Words of one pixel of a bit tensor.
inline int WordsOf(int channels) { return (channels + 63) / 64; }

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
    switch (type) {
      case ElementType::kBits:
        return Plane() * WordsOf(channels) * 8;
      case ElementType::kUint8:
      case ElementType::kInt8:
        return Plane() * channels;
      case ElementType::kSignPlanes:
        return channels * SignPlaneWords(Plane()) * 8;
      case ElementType::kFloat16:
        return Plane() * channels * 2;
      case ElementType::kFloat32:
        break;
    }
    return Plane() * channels * 4;
  }
  bool operator==(const TensorSpec&) const = default;
};

/// A tensor of one frame.
struct Tensor {
  void* data;
  int batch, channels, height, width;
  ElementType type;

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
  int64_t image() const { return plane() * channels; }
};

}  // namespace bdc
