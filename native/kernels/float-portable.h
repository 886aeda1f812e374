// Float lanes in plain loops for block-epilogue.h.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/float16.h"

namespace bdc {
namespace {

template <int kCount>
struct FloatLanes {
  static constexpr int kLanes = kCount;
  struct alignas(4 * kLanes) Vector {
    float lane[kLanes];
  };

  template <typename Function>
  static Vector Make(const Function& function) {
    Vector r;
    for (int i = 0; i < kLanes; ++i) r.lane[i] = function(i);
    return r;
  }
  static Vector Set(float x) {
    return Make([x](int) { return x; });
  }
  static uint32_t SetBits(uint32_t x) { return x; }
  static Vector Add(const Vector& a, const Vector& b) {
    return Make([&](int i) { return a.lane[i] + b.lane[i]; });
  }
  static Vector Sub(const Vector& a, const Vector& b) {
    return Make([&](int i) { return a.lane[i] - b.lane[i]; });
  }
  static Vector Mul(const Vector& a, const Vector& b) {
    return Make([&](int i) { return a.lane[i] * b.lane[i]; });
  }
  /// t > 0 ? t : slope · t
  static Vector ScaleUnlessPositive(const Vector& t, const Vector& slope) {
    return Make([&](int i) { return t.lane[i] > 0 ? t.lane[i] : slope.lane[i] * t.lane[i]; });
  }
  static Vector Flip(const Vector& x, uint32_t sign) {
    return Make([&](int i) { return std::bit_cast<float>(std::bit_cast<uint32_t>(x.lane[i]) ^ sign); });
  }
  /// Bit i: lane i of x >= t.
  static uint32_t NotBelow(const Vector& x, const Vector& t) {
    uint32_t bits = 0;
    for (int i = 0; i < kLanes; ++i) bits |= static_cast<uint32_t>(x.lane[i] >= t.lane[i]) << i;
    return bits;
  }
  static Vector Load(const float* from) {
    return Make([from](int i) { return from[i]; });
  }
  static void Store(float* to, const Vector& x) {
    for (int i = 0; i < kLanes; ++i) to[i] = x.lane[i];
  }
  /// The first `count` lanes, fewer than all.
  static void StoreFirst(float* to, const Vector& x, int count) {
    for (int i = 0; i < count; ++i) to[i] = x.lane[i];
  }
  static Vector LoadHalf(const uint16_t* from) {
    return Make([from](int i) { return FromFloat16(from[i]); });
  }
  static void StoreHalf(uint16_t* to, const Vector& x) {
    for (int i = 0; i < kLanes; ++i) to[i] = ToFloat16(x.lane[i]);
  }
  static void StoreQuantized(int8_t* to, const Vector& x) {
    for (int i = 0; i < kLanes; ++i) {
      const float above = x.lane[i] > -127.0f ? x.lane[i] : -127.0f;  // NaN too, as MAXPS gives
      to[i] = static_cast<int8_t>(std::nearbyintf(above < 127.0f ? above : 127.0f));
    }
  }
  /// x < 0 ? 0 : x
  static Vector ZeroIfNegative(const Vector& x) {
    return Make([&](int i) { return x.lane[i] < 0 ? 0.0f : x.lane[i]; });
  }
  static Vector FromInt16(const int16_t* from) {
    return Make([from](int i) { return static_cast<float>(from[i]); });
  }
  static Vector FromInt32(const int32_t* from) {
    return Make([from](int i) { return static_cast<float>(from[i]); });
  }
};

using FloatPortable = FloatLanes<16>;

}  // namespace
}  // namespace bdc
