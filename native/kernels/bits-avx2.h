// Planes of 256 bits for binary-block-majority.h.
#pragma once

#include <immintrin.h>

#include "kernels/binary-block-majority.h"
#include "kernels/bit-transpose.h"

namespace bdc {
namespace {

/// 256 pixels a vector; a full adder takes five instructions.
struct Avx2Bits {
  using Vector = __m256i;
  static constexpr int kBits = 256;

  static Vector Zero() { return _mm256_setzero_si256(); }
  static Vector Fill(int bit) { return _mm256_set1_epi32(-bit); }
  static Vector FillWord(uint64_t x) { return _mm256_set1_epi64x(static_cast<int64_t>(x)); }
  static Vector Xor(Vector a, Vector b) { return _mm256_xor_si256(a, b); }
  static Vector And(Vector a, Vector b) { return _mm256_and_si256(a, b); }
  static Vector Xor3(Vector a, Vector b, Vector c) { return Xor(Xor(a, b), c); }
  static Vector Majority(Vector a, Vector b, Vector c) {
    return _mm256_or_si256(And(a, b), And(Xor(a, b), c));
  }
  static void FullAdd(Vector a, Vector b, Vector c, Vector* sum, Vector* carry) {
    *sum = Xor3(a, b, c);
    *carry = Majority(a, b, c);
  }
  /// Bits [shift, shift + 256) from a byte on, 0 ≤ shift < 8.
  static Vector LoadShifted(const uint8_t* from, int shift) {
    const Vector low = _mm256_loadu_si256(reinterpret_cast<const Vector*>(from));
    const Vector high = _mm256_loadu_si256(reinterpret_cast<const Vector*>(from + 8));
    return _mm256_or_si256(_mm256_srl_epi64(low, _mm_cvtsi32_si128(shift)),
                           _mm256_sll_epi64(high, _mm_cvtsi32_si128(64 - shift)));
  }
  /// table[sa | sb << 1 | sc << 2] = maj(a ^ sa, b ^ sb, c ^ sc); negating all inputs negates the majority.
  static void Majorities(Vector a, Vector b, Vector c, Vector* table) {
    const Vector ones = Fill(1), not_a = Xor(a, ones), not_b = Xor(b, ones);
    table[0] = Majority(a, b, c);
    table[1] = Majority(not_a, b, c);
    table[2] = Majority(a, not_b, c);
    table[3] = Majority(not_a, not_b, c);
    for (int i = 0; i < 4; ++i) table[7 - i] = Xor(table[i], ones);
  }

  template <int kShift>
  static Vector ShiftRight(Vector x) {
    return _mm256_srli_epi64(x, kShift);
  }
  template <int kShift>
  static Vector ShiftLeft(Vector x) {
    return _mm256_slli_epi64(x, kShift);
  }
  static Vector ZipLow8(Vector a, Vector b) { return _mm256_unpacklo_epi8(a, b); }
  static Vector ZipHigh8(Vector a, Vector b) { return _mm256_unpackhi_epi8(a, b); }
  static Vector ZipLow16(Vector a, Vector b) { return _mm256_unpacklo_epi16(a, b); }
  static Vector ZipHigh16(Vector a, Vector b) { return _mm256_unpackhi_epi16(a, b); }
  static Vector ZipLow32(Vector a, Vector b) { return _mm256_unpacklo_epi32(a, b); }
  static Vector ZipHigh32(Vector a, Vector b) { return _mm256_unpackhi_epi32(a, b); }

  static Vector Transpose(Vector x) { return TransposeWords<Avx2Bits>(x); }

  /// values[p] = base − 2 · (ones + 2 · Σ 2^j counters[j]); Bits: this, or a class that inherits it.
  template <typename Bits>
  static void ToValuesOf(Vector ones, const Vector (&counters)[kMaxPlanes], int32_t base, int16_t* values) {
    Vector low[8], high[8], bytes[8], high_bytes[8];
    low[0] = ones;
    for (int j = 0; j < 7; ++j) low[j + 1] = counters[j];
    for (int j = 0; j < 8; ++j) high[j] = j + 7 < kMaxPlanes ? counters[j + 7] : Zero();
    PlanesToBytes<Bits>(low, bytes);
    PlanesToBytes<Bits>(high, high_bytes);
    const Vector start = _mm256_set1_epi16(static_cast<int16_t>(base));
    for (int k = 0; k < 8; ++k) {
      const Vector even = ZipLow8(bytes[k], high_bytes[k]), odd = ZipHigh8(bytes[k], high_bytes[k]);
      const Vector a = _mm256_sub_epi16(start, _mm256_add_epi16(even, even));
      const Vector b = _mm256_sub_epi16(start, _mm256_add_epi16(odd, odd));
      _mm256_store_si256(reinterpret_cast<Vector*>(values + 16 * k), _mm256_permute2x128_si256(a, b, 0x20));
      _mm256_store_si256(reinterpret_cast<Vector*>(values + 128 + 16 * k),
                         _mm256_permute2x128_si256(a, b, 0x31));
    }
  }

  static void ToValues(Vector ones, const Vector (&counters)[kMaxPlanes], int32_t base, int16_t* values) {
    ToValuesOf<Avx2Bits>(ones, counters, base, values);
  }
};

}  // namespace
}  // namespace bdc
