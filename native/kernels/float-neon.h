// 4 float lanes of NEON for block-epilogue.h.
#pragma once

#include <arm_neon.h>

#include <cstdint>
#include <cstring>

namespace bdc {
namespace {

struct FloatNeon {
  using Vector = float32x4_t;
  static constexpr int kLanes = 4;

  static Vector Set(float x) { return vdupq_n_f32(x); }
  static uint32x4_t SetBits(uint32_t x) { return vdupq_n_u32(x); }
  static Vector Add(Vector a, Vector b) { return vaddq_f32(a, b); }
  static Vector Sub(Vector a, Vector b) { return vsubq_f32(a, b); }
  static Vector Mul(Vector a, Vector b) { return vmulq_f32(a, b); }
  /// t > 0 ? t : slope · t
  static Vector ScaleUnlessPositive(Vector t, Vector slope) {
    return vbslq_f32(vcgtzq_f32(t), t, vmulq_f32(t, slope));
  }
  static Vector Flip(Vector x, uint32x4_t sign) {
    return vreinterpretq_f32_u32(veorq_u32(vreinterpretq_u32_f32(x), sign));
  }
  /// Bit i: lane i of x >= t.
  static uint32_t NotBelow(Vector x, Vector t) {
    const uint32x4_t weights = {1, 2, 4, 8};
    return vaddvq_u32(vandq_u32(vcgeq_f32(x, t), weights));
  }
  static Vector Load(const float* from) { return vld1q_f32(from); }
  static void Store(float* to, Vector x) { vst1q_f32(to, x); }
  /// The first `count` lanes, fewer than all.
  static void StoreFirst(float* to, Vector x, int count) {
    float lanes[kLanes];
    vst1q_f32(lanes, x);
    for (int i = 0; i < count; ++i) to[i] = lanes[i];
  }
  static Vector LoadHalf(const uint16_t* from) { return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(from))); }
  static void StoreHalf(uint16_t* to, Vector x) { vst1_u16(to, vreinterpret_u16_f16(vcvt_f16_f32(x))); }
  static void StoreQuantized(int8_t* to, Vector x) {
    // The greater of a NaN and a number is the number here, as on x86.
    const Vector clamped = vminq_f32(vmaxnmq_f32(x, Set(-127.0f)), Set(127.0f));
    const int16x4_t words = vmovn_s32(vcvtnq_s32_f32(clamped));
    const int8x8_t bytes = vmovn_s16(vcombine_s16(words, words));
    const int32_t four = vget_lane_s32(vreinterpret_s32_s8(bytes), 0);
    std::memcpy(to, &four, sizeof four);
  }
  /// a · b + c, rounded once.
  static Vector MulAdd(Vector a, Vector b, Vector c) { return vfmaq_f32(c, a, b); }
  static Vector Max(Vector a, Vector b) { return vmaxq_f32(a, b); }
  static Vector Min(Vector a, Vector b) { return vminq_f32(a, b); }
  /// clamp(round to nearest even(x), ±127) of 16 values below 2^31.
  static void StoreRounded(int8_t* to, const Vector (&x)[4]) {
    int16x4_t words[4];
    for (int v = 0; v < 4; ++v) words[v] = vqmovn_s32(vcvtnq_s32_f32(x[v]));
    const int8x8_t low = vqmovn_s16(vcombine_s16(words[0], words[1]));
    const int8x8_t high = vqmovn_s16(vcombine_s16(words[2], words[3]));
    vst1q_s8(to, vmaxq_s8(vcombine_s8(low, high), vdupq_n_s8(-127)));
  }
  /// x < 0 ? 0 : x
  static Vector ZeroIfNegative(Vector x) { return vbslq_f32(vcltzq_f32(x), Set(0.0f), x); }
  static Vector FromInt32(const int32_t* from) { return vcvtq_f32_s32(vld1q_s32(from)); }
  static Vector FromInt16(const int16_t* from) { return vcvtq_f32_s32(vmovl_s16(vld1_s16(from))); }
};

}  // namespace
}  // namespace bdc
