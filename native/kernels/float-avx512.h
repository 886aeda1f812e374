// 16 float lanes of AVX-512 for block-epilogue.h.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace bdc {
namespace {

struct FloatAvx512 {
  using Vector = __m512;
  static constexpr int kLanes = 16;

  static Vector Set(float x) { return _mm512_set1_ps(x); }
  static __m512i SetBits(uint32_t x) { return _mm512_set1_epi32(static_cast<int32_t>(x)); }
  static Vector Add(Vector a, Vector b) { return _mm512_add_ps(a, b); }
  static Vector Sub(Vector a, Vector b) { return _mm512_sub_ps(a, b); }
  static Vector Mul(Vector a, Vector b) { return _mm512_mul_ps(a, b); }
  /// t > 0 ? t : slope · t
  static Vector ScaleUnlessPositive(Vector t, Vector slope) {
    return _mm512_mask_mul_ps(t, _mm512_cmp_ps_mask(t, _mm512_setzero_ps(), _CMP_NGT_UQ), t, slope);
  }
  static Vector Flip(Vector x, __m512i sign) {
    return _mm512_castsi512_ps(_mm512_xor_si512(_mm512_castps_si512(x), sign));
  }
  /// Bit i: lane i of x >= t.
  static uint32_t NotBelow(Vector x, Vector t) { return _mm512_cmp_ps_mask(x, t, _CMP_GE_OQ); }
  static Vector Load(const float* from) { return _mm512_loadu_ps(from); }
  static void Store(float* to, Vector x) { _mm512_storeu_ps(to, x); }
  /// The first `count` lanes, fewer than all.
  static void StoreFirst(float* to, Vector x, int count) {
    _mm512_mask_storeu_ps(to, static_cast<__mmask16>((1u << count) - 1), x);
  }
  static Vector LoadHalf(const uint16_t* from) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
  }
  static void StoreHalf(uint16_t* to, Vector x) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
  }
  static void StoreQuantized(int8_t* to, Vector x) {
    const Vector clamped = _mm512_min_ps(_mm512_max_ps(x, Set(-127.0f)), Set(127.0f));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(clamped)));
  }
  /// a · b + c, rounded once.
  static Vector MulAdd(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }
  static Vector Max(Vector a, Vector b) { return _mm512_max_ps(a, b); }
  static Vector Min(Vector a, Vector b) { return _mm512_min_ps(a, b); }
  /// clamp(round to nearest even(x), ±127) of 16 values below 2^31.
  static void StoreRounded(int8_t* to, const Vector (&x)[1]) {
    const __m128i bytes = _mm512_cvtsepi32_epi8(_mm512_cvtps_epi32(x[0]));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm_max_epi8(bytes, _mm_set1_epi8(-127)));
  }
  /// x < 0 ? 0 : x
  static Vector ZeroIfNegative(Vector x) { return _mm512_max_ps(_mm512_setzero_ps(), x); }
  static __m512i SetInt32(int32_t x) { return _mm512_set1_epi32(x); }
  /// Places aligned as a vector is.
  static __m512i LoadInt32(const int32_t* from) { return _mm512_load_si512(from); }
  static void Store(int32_t* to, __m512i x) { _mm512_store_si512(to, x); }
  static Vector FromInt32(__m512i x) { return _mm512_cvtepi32_ps(x); }
  static Vector FromInt32(const int32_t* from) { return _mm512_cvtepi32_ps(_mm512_loadu_si512(from)); }
  static Vector FromInt16(const int16_t* from) {
    return _mm512_cvtepi32_ps(
        _mm512_cvtepi16_epi32(_mm256_load_si256(reinterpret_cast<const __m256i*>(from))));
  }
  /// 32 numbers as floats, added to those at `to`, a vector's place, unless they are the first.
  static void AddInt16To(float* to, __m512i x, bool is_first) {
    for (int half = 0; half < 2; ++half) {
      const __m256i part = half == 0 ? _mm512_castsi512_si256(x) : _mm512_extracti64x4_epi64(x, 1);
      Vector y = _mm512_cvtepi32_ps(_mm512_cvtepi16_epi32(part));
      if (!is_first) y = _mm512_add_ps(y, _mm512_load_ps(to + kLanes * half));
      _mm512_store_ps(to + kLanes * half, y);
    }
  }
};

}  // namespace
}  // namespace bdc
