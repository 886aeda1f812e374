// 8 float lanes of AVX2 with F16C for block-epilogue.h.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace bdc {
namespace {

struct FloatAvx2 {
  using Vector = __m256;
  static constexpr int kLanes = 8;

  static Vector Set(float x) { return _mm256_set1_ps(x); }
  static Vector SetBits(uint32_t x) {
    return _mm256_castsi256_ps(_mm256_set1_epi32(static_cast<int32_t>(x)));
  }
  static Vector Add(Vector a, Vector b) { return _mm256_add_ps(a, b); }
  static Vector Sub(Vector a, Vector b) { return _mm256_sub_ps(a, b); }
  static Vector Mul(Vector a, Vector b) { return _mm256_mul_ps(a, b); }
  /// t > 0 ? t : slope · t
  static Vector ScaleUnlessPositive(Vector t, Vector slope) {
    return _mm256_blendv_ps(_mm256_mul_ps(t, slope), t, _mm256_cmp_ps(t, _mm256_setzero_ps(), _CMP_GT_OQ));
  }
  static Vector Flip(Vector x, Vector sign) { return _mm256_xor_ps(x, sign); }
  /// Bit i: lane i of x >= t.
  static uint32_t NotBelow(Vector x, Vector t) {
    return static_cast<uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(x, t, _CMP_GE_OQ)));
  }
  static Vector Load(const float* from) { return _mm256_loadu_ps(from); }
  static void Store(float* to, Vector x) { _mm256_storeu_ps(to, x); }
  /// The first `count` lanes, fewer than all.
  static void StoreFirst(float* to, Vector x, int count) {
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    _mm256_maskstore_ps(to, _mm256_cmpgt_epi32(_mm256_set1_epi32(count), lanes), x);
  }
  static Vector LoadHalf(const uint16_t* from) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
  }
  static void StoreHalf(uint16_t* to, Vector x) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
  }
  static void StoreQuantized(int8_t* to, Vector x) {
    const Vector clamped = _mm256_min_ps(_mm256_max_ps(x, Set(-127.0f)), Set(127.0f));
    const __m256i wide = _mm256_cvtps_epi32(clamped);
    const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm_packs_epi16(words, words));
  }
  /// a · b + c, rounded once.
  static Vector MulAdd(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }
  static Vector Max(Vector a, Vector b) { return _mm256_max_ps(a, b); }
  static Vector Min(Vector a, Vector b) { return _mm256_min_ps(a, b); }
  /// clamp(round to nearest even(x), ±127) of 16 values below 2^31.
  static void StoreRounded(int8_t* to, const Vector (&x)[2]) {
    const __m256i words = _mm256_packs_epi32(_mm256_cvtps_epi32(x[0]), _mm256_cvtps_epi32(x[1]));
    const __m256i ordered = _mm256_permute4x64_epi64(words, 0b11011000);
    const __m128i bytes =
        _mm_packs_epi16(_mm256_castsi256_si128(ordered), _mm256_extracti128_si256(ordered, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm_max_epi8(bytes, _mm_set1_epi8(-127)));
  }
  /// x < 0 ? 0 : x
  static Vector ZeroIfNegative(Vector x) { return _mm256_max_ps(_mm256_setzero_ps(), x); }
  static __m256i SetInt32(int32_t x) { return _mm256_set1_epi32(x); }
  /// Places aligned as a vector is.
  static __m256i LoadInt32(const int32_t* from) {
    return _mm256_load_si256(reinterpret_cast<const __m256i*>(from));
  }
  static void Store(int32_t* to, __m256i x) { _mm256_store_si256(reinterpret_cast<__m256i*>(to), x); }
  static Vector FromInt32(__m256i x) { return _mm256_cvtepi32_ps(x); }
  static Vector FromInt32(const int32_t* from) {
    return _mm256_cvtepi32_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
  }
  static Vector FromInt16(const int16_t* from) {
    return _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(_mm_load_si128(reinterpret_cast<const __m128i*>(from))));
  }
};

}  // namespace
}  // namespace bdc
