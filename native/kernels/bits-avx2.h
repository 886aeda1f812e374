// Planes of 256 bits for binary-block-majority.h.
#pragma once

#include <immintrin.h>

#include "kernels/binary-block-majority.h"

namespace bdc {
namespace {

/// 256 pixels a vector; a full adder takes five instructions.
struct Avx2Bits {
  using Vector = __m256i;
  static constexpr int kBits = 256;

  static Vector Zero() { return _mm256_setzero_si256(); }
  static Vector Fill(int bit) { return _mm256_set1_epi32(-bit); }
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

  /// Byte i of planes[j] → byte 8 · i + j, in 128-bit lanes: lane l of bytes[k] is those of i = 16 · l + 2 ·
  /// k and the next one.
  static void ZipBytes(const Vector (&planes)[8], Vector (&bytes)[8]) {
#pragma GCC unroll 2
    for (int h = 0; h < 2; ++h) {
      Vector pairs[4], quads[4];
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) {
        pairs[j] = h == 0 ? _mm256_unpacklo_epi8(planes[2 * j], planes[2 * j + 1])
                          : _mm256_unpackhi_epi8(planes[2 * j], planes[2 * j + 1]);
      }
#pragma GCC unroll 2
      for (int j = 0; j < 2; ++j) {
        quads[j] = _mm256_unpacklo_epi16(pairs[2 * j], pairs[2 * j + 1]);
        quads[j + 2] = _mm256_unpackhi_epi16(pairs[2 * j], pairs[2 * j + 1]);
      }
#pragma GCC unroll 2
      for (int i = 0; i < 2; ++i) {
        bytes[4 * h + 2 * i] = _mm256_unpacklo_epi32(quads[2 * i], quads[2 * i + 1]);
        bytes[4 * h + 2 * i + 1] = _mm256_unpackhi_epi32(quads[2 * i], quads[2 * i + 1]);
      }
    }
  }

  /// Exchanges the bits of each byte of `high` whose places are in `mask` with those kShift further up in
  /// `low`.
  template <int kShift>
  static void SwapBits(Vector& low, Vector& high, int mask) {
    const Vector t =
        And(Xor(_mm256_srli_epi64(low, kShift), high), _mm256_set1_epi8(static_cast<char>(mask)));
    high = Xor(high, t);
    low = Xor(low, _mm256_slli_epi64(t, kShift));
  }
  /// The same of a `high` that is 0.
  template <int kShift>
  static void SplitBits(Vector& low, Vector& high, int mask) {
    high = And(_mm256_srli_epi64(low, kShift), _mm256_set1_epi8(static_cast<char>(mask)));
    low = And(low, _mm256_set1_epi8(static_cast<char>(mask)));
  }
  template <int kShift, int kPlanes>
  static void SwapPlanes(Vector (&planes)[8], int mask) {
#pragma GCC unroll 8
    for (int j = 0; j < 8; ++j) {
      if ((j & kShift) != 0) continue;
      // Those that have exchanged bits before begin at a multiple of kShift: all are 0, or none.
      if (j / kShift * kShift >= kPlanes) continue;
      if ((j + kShift) / kShift * kShift < kPlanes) {
        SwapBits<kShift>(planes[j], planes[j + kShift], mask);
      } else {
        SplitBits<kShift>(planes[j], planes[j + kShift], mask);
      }
    }
  }

  /// Planes as bytes: bit i of a byte comes from plane i, of which there are kPlanes. 128-bit lane l of
  /// bytes[k] is pixels 128 · l + 16 · k … + 15.
  template <int kPlanes>
  static void PlanesToBytes(const Vector (&planes)[kPlanes], Vector (&bytes)[8]) {
    Vector x[8];
#pragma GCC unroll 8
    for (int j = 0; j < 8; ++j) x[j] = j < kPlanes ? planes[j] : Zero();
    SwapPlanes<1, kPlanes>(x, 0x55);
    SwapPlanes<2, kPlanes>(x, 0x33);
    SwapPlanes<4, kPlanes>(x, 0x0f);
    ZipBytes(x, bytes);
  }

  /// values[p] = base − 2 · (ones + 2 · Σ 2^j counters[j]); Bits: this, or a class that inherits it.
  template <typename Bits, int kPlanes>
  static void ToValuesOf(Vector ones, const Vector (&counters)[kPlanes], int32_t base, int16_t* values) {
    // Of twice the sum: bit 0 is 0, bit 1 comes from the ones.
    constexpr int kHighPlanes = kPlanes + 2 - 8;
    Vector low[8] = {Zero(), ones}, high[kHighPlanes], bytes[8], high_bytes[8];
    for (int j = 0; j < 6; ++j) low[j + 2] = counters[j];
    for (int j = 0; j < kHighPlanes; ++j) high[j] = counters[j + 6];
    Bits::PlanesToBytes(low, bytes);
    Bits::PlanesToBytes(high, high_bytes);
    const Vector start = _mm256_set1_epi16(static_cast<int16_t>(base));
#pragma GCC unroll 8
    for (int k = 0; k < 8; ++k) {
      const Vector a = _mm256_sub_epi16(start, _mm256_unpacklo_epi8(bytes[k], high_bytes[k]));
      const Vector b = _mm256_sub_epi16(start, _mm256_unpackhi_epi8(bytes[k], high_bytes[k]));
      _mm256_store_si256(reinterpret_cast<Vector*>(values + 16 * k), _mm256_permute2x128_si256(a, b, 0x20));
      _mm256_store_si256(reinterpret_cast<Vector*>(values + 128 + 16 * k),
                         _mm256_permute2x128_si256(a, b, 0x31));
    }
  }

  template <int kPlanes>
  static void ToValues(Vector ones, const Vector (&counters)[kPlanes], int32_t base, int16_t* values) {
    ToValuesOf<Avx2Bits>(ones, counters, base, values);
  }
};

}  // namespace
}  // namespace bdc
