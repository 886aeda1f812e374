// What real convolutions do with their sums (ConvEpilogue), one stretch of a row at a time and all steps in
// registers. Brings no instructions of its own: `Float` is one of the float-*.h.
//
// Everything here has internal linkage on purpose: each including file is compiled for another instruction
// set.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "kernels/conv.h"

namespace bdc {
namespace {

/// A channel's share of a ConvEpilogue, its pointers at the first pixel of the stretch.
struct ConvRow {
  bool has_slope = false, has_bias = false, relu = false;
  float scale = 1.0f, bias = -0.0f;  // x + −0 is x, whatever x
  float bias_in = 0.0f, slope = 0.0f, bias_out = 0.0f;
  const float* residual_f32 = nullptr;
  const uint16_t* residual_f16 = nullptr;
  float* output_f32 = nullptr;
  uint16_t* output_f16 = nullptr;
  int8_t* quantized = nullptr;
  float quantized_factor = 0.0f;
};

inline ConvRow ConvRowEpilogue(const ConvEpilogue& e, int channel, int64_t pixel) {
  ConvRow row;
  if (e.scale != nullptr) row.scale = e.scale[channel];
  if (e.bias != nullptr) row.bias = e.bias[channel];
  if ((row.has_slope = e.activation.slope != nullptr)) row.slope = e.activation.slope[channel];
  if ((row.has_bias = e.activation.bias_in != nullptr)) {
    row.bias_in = e.activation.bias_in[channel];
    row.bias_out = e.activation.bias_out[channel];
  }
  if (e.residual.data != nullptr) {
    const int64_t at = channel * e.residual.plane + pixel;
    if (e.residual.type == StreamType::kFloat32) {
      row.residual_f32 = static_cast<const float*>(e.residual.data) + at;
    } else {
      row.residual_f16 = static_cast<const uint16_t*>(e.residual.data) + at;
    }
  }
  row.relu = e.relu;
  if (e.output != nullptr) {
    if (e.output_type == StreamType::kFloat32) {
      row.output_f32 = static_cast<float*>(e.output[channel]) + pixel;
    } else {
      row.output_f16 = static_cast<uint16_t*>(e.output[channel]) + pixel;
    }
  }
  if (e.quantized != nullptr) {
    row.quantized = e.quantized + channel * e.quantized_plane + pixel;
    row.quantized_factor = e.quantized_factor;
  }
  return row;
}

/// What `store(to)` writes, a vector, or the first `count` values of it where they are fewer.
template <int kLanes, typename T, typename Store>
inline void StoreFirst(int count, T* to, const Store& store) {
  if (count >= kLanes) {
    store(to);
    return;
  }
  T lanes[kLanes];
  store(lanes);
  for (int i = 0; i < count; ++i) to[i] = lanes[i];
}

/// `count` sums from `sums` on, which are readable up to a whole vector.
template <typename Float, typename Word>
inline void StoreConvRow(const Word* sums, int count, const ConvRow& row) {
  using Vector = typename Float::Vector;
  constexpr int kLanes = Float::kLanes;
  for (int i = 0; i < count; i += kLanes) {
    Vector y;
    if constexpr (std::is_same_v<Word, float>) {
      y = Float::Load(sums + i);
    } else {
      y = Float::Add(Float::Mul(Float::FromInt32(sums + i), Float::Set(row.scale)), Float::Set(row.bias));
    }
    if (row.has_bias) y = Float::Add(y, Float::Set(row.bias_in));
    if (row.has_slope) y = Float::ScaleUnlessPositive(y, Float::Set(row.slope));
    if (row.has_bias) y = Float::Add(y, Float::Set(row.bias_out));
    if (row.residual_f32 != nullptr) y = Float::Add(y, Float::Load(row.residual_f32 + i));
    if (row.residual_f16 != nullptr) y = Float::Add(y, Float::LoadHalf(row.residual_f16 + i));
    if (row.relu) y = Float::ZeroIfNegative(y);
    const int left = count - i;
    if (row.output_f32 != nullptr) {
      StoreFirst<kLanes>(left, row.output_f32 + i, [y](float* to) { Float::Store(to, y); });
    }
    if (row.output_f16 != nullptr) {
      StoreFirst<kLanes>(left, row.output_f16 + i, [y](uint16_t* to) { Float::StoreHalf(to, y); });
    }
    if (row.quantized != nullptr) {
      const Vector q = Float::Mul(y, Float::Set(row.quantized_factor));
      StoreFirst<kLanes>(left, row.quantized + i, [q](int8_t* to) { Float::StoreQuantized(to, q); });
    }
  }
}

}  // namespace
}  // namespace bdc
