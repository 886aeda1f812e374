#include <immintrin.h>

#include <algorithm>

#include "kernels/bits-avx2.h"
#include "kernels/float-avx512.h"
#include "kernels/kernel-list.h"

namespace bdc {
namespace {

/// 512 pixels a vector. VPTERNLOG makes either half of a full adder in one instruction, GFNI turns eight
/// counter planes into bytes.
struct Avx512Bits {
  using Vector = __m512i;
  static constexpr int kBits = 512;

  static Vector Zero() { return _mm512_setzero_si512(); }
  static Vector Fill(int bit) { return _mm512_set1_epi32(-bit); }
  static Vector Xor(Vector a, Vector b) { return _mm512_xor_si512(a, b); }
  static Vector And(Vector a, Vector b) { return _mm512_and_si512(a, b); }
  static Vector Xor3(Vector a, Vector b, Vector c) { return _mm512_ternarylogic_epi64(a, b, c, 0x96); }
  static void FullAdd(Vector a, Vector b, Vector c, Vector* sum, Vector* carry) {
    *sum = _mm512_ternarylogic_epi64(a, b, c, 0x96);
    *carry = _mm512_ternarylogic_epi64(a, b, c, 0xe8);
  }
  /// Bits [shift, shift + 512) from a byte on, 0 ≤ shift < 8.
  static Vector LoadShifted(const uint8_t* from, int shift) {
    return _mm512_shrdv_epi64(_mm512_loadu_si512(from), _mm512_loadu_si512(from + 8),
                              _mm512_set1_epi64(shift));
  }
  /// table[sa | sb << 1 | sc << 2] = maj(a ^ sa, b ^ sb, c ^ sc). The truth table of maj(a, b, c) is 0xe8
  /// with a as bit 2 of its index; negating an input permutes it.
  static void Majorities(Vector a, Vector b, Vector c, Vector* table) {
    table[0] = _mm512_ternarylogic_epi64(a, b, c, 0xe8);
    table[1] = _mm512_ternarylogic_epi64(a, b, c, 0x8e);
    table[2] = _mm512_ternarylogic_epi64(a, b, c, 0xb2);
    table[3] = _mm512_ternarylogic_epi64(a, b, c, 0x2b);
    table[4] = _mm512_ternarylogic_epi64(a, b, c, 0xd4);
    table[5] = _mm512_ternarylogic_epi64(a, b, c, 0x4d);
    table[6] = _mm512_ternarylogic_epi64(a, b, c, 0x71);
    table[7] = _mm512_ternarylogic_epi64(a, b, c, 0x17);
  }

  /// Eight planes as 512 bytes: bit i of a byte comes from plane i. Lane l of bytes[k] is pixels 128·l + 16·k
  /// …
  /// + 15.
  static inline __attribute__((always_inline)) void ToBytes(const Vector (&planes)[8], Vector (&bytes)[8]) {
    // The matrix product reads rows from the last byte of a quadword up.
    const Vector p01[2] = {_mm512_unpacklo_epi8(planes[7], planes[6]),
                           _mm512_unpackhi_epi8(planes[7], planes[6])};
    const Vector p23[2] = {_mm512_unpacklo_epi8(planes[5], planes[4]),
                           _mm512_unpackhi_epi8(planes[5], planes[4])};
    const Vector p45[2] = {_mm512_unpacklo_epi8(planes[3], planes[2]),
                           _mm512_unpackhi_epi8(planes[3], planes[2])};
    const Vector p67[2] = {_mm512_unpacklo_epi8(planes[1], planes[0]),
                           _mm512_unpackhi_epi8(planes[1], planes[0])};
    const Vector identity = _mm512_set1_epi64(static_cast<int64_t>(0x8040201008040201u));
    for (int h = 0; h < 2; ++h) {
      const Vector a[2] = {_mm512_unpacklo_epi16(p01[h], p23[h]), _mm512_unpackhi_epi16(p01[h], p23[h])};
      const Vector b[2] = {_mm512_unpacklo_epi16(p45[h], p67[h]), _mm512_unpackhi_epi16(p45[h], p67[h])};
      for (int i = 0; i < 2; ++i) {
        bytes[4 * h + 2 * i] = _mm512_gf2p8affine_epi64_epi8(identity, _mm512_unpacklo_epi32(a[i], b[i]), 0);
        bytes[4 * h + 2 * i + 1] =
            _mm512_gf2p8affine_epi64_epi8(identity, _mm512_unpackhi_epi32(a[i], b[i]), 0);
      }
    }
  }

  /// values[p] = base − 2 · (ones + 2 · Σ 2^j counters[j]).
  template <int kPlanes>
  static void ToValues(Vector ones, const Vector (&counters)[kPlanes], int32_t base, int16_t* values) {
    Vector low[8], high[8], bytes[8], high_bytes[8];
    low[0] = ones;
    for (int j = 0; j < 7; ++j) low[j + 1] = counters[j];
    for (int j = 0; j < 8; ++j) high[j] = j + 7 < kPlanes ? counters[j + 7] : Zero();
    ToBytes(low, bytes);
    ToBytes(high, high_bytes);
    const Vector start = _mm512_set1_epi16(static_cast<int16_t>(base));
    const Vector first = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
    const Vector second = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
    for (int k = 0; k < 8; ++k) {
      const Vector even = _mm512_unpacklo_epi8(bytes[k], high_bytes[k]);
      const Vector odd = _mm512_unpackhi_epi8(bytes[k], high_bytes[k]);
      const Vector a = _mm512_sub_epi16(start, _mm512_add_epi16(even, even));
      const Vector b = _mm512_sub_epi16(start, _mm512_add_epi16(odd, odd));
      const Vector x = _mm512_permutex2var_epi64(a, first, b), y = _mm512_permutex2var_epi64(a, second, b);
      int16_t* to = values + 16 * k;
      _mm256_store_si256(reinterpret_cast<__m256i*>(to), _mm512_castsi512_si256(x));
      _mm256_store_si256(reinterpret_cast<__m256i*>(to + 128), _mm512_extracti64x4_epi64(x, 1));
      _mm256_store_si256(reinterpret_cast<__m256i*>(to + 256), _mm512_castsi512_si256(y));
      _mm256_store_si256(reinterpret_cast<__m256i*>(to + 384), _mm512_extracti64x4_epi64(y, 1));
    }
  }

  /// to[p]: the table's value of the count ones + 2 · Σ 2^j counters[j].
  template <int kPlanes>
  static void LookUpQuantized(Vector ones, const Vector (&counters)[kPlanes], const QuantizedTable& table,
                              int channel, int64_t block, int8_t* to) {
    Vector low[8], high[8], index[8], page[8];
    low[0] = ones;
    for (int j = 0; j < 6; ++j) low[j + 1] = counters[j];
    low[7] = Zero();
    for (int j = 0; j < 8; ++j) high[j] = j + 6 < kPlanes ? counters[j + 6] : Zero();
    ToBytes(low, index);
    ToBytes(high, page);
    if (const uint8_t* const classes = table.classes(block)) {
      const auto per_class = [&](int part) {
        const auto* const from = reinterpret_cast<const __m128i*>(table.missed(channel));
        return _mm512_broadcast_i32x4(_mm_loadu_si128(from + part));
      };
      const Vector more_index = per_class(0), more_pages = per_class(1);
      for (int k = 0; k < 8; ++k) {
        const Vector border_class = _mm512_loadu_si512(classes + 64 * k);
        index[k] = _mm512_add_epi8(index[k], _mm512_shuffle_epi8(more_index, border_class));
        page[k] = _mm512_add_epi8(page[k], _mm512_shuffle_epi8(more_pages, border_class));
        // What an index has above its seven bits is a page.
        page[k] = _mm512_mask_add_epi8(page[k], _mm512_movepi8_mask(index[k]), page[k], _mm512_set1_epi8(1));
      }
    }
    const int8_t* entries = table.channel(channel);
    Vector number = Zero();
    for (int i = 0; i < table.pages(); ++i, entries += kTablePage) {
      const Vector first = _mm512_loadu_si512(entries), second = _mm512_loadu_si512(entries + 64);
      // The next channel's, which are cold.
      _mm_prefetch(reinterpret_cast<const char*>(entries + table.pages() * kTablePage), _MM_HINT_T0);
      _mm_prefetch(reinterpret_cast<const char*>(entries + table.pages() * kTablePage + 64), _MM_HINT_T0);
#pragma GCC unroll 8
      for (int k = 0; k < 8; ++k) {
        // The value takes the index's place: a byte is of one page only.
        const __mmask64 is_here = _mm512_cmpeq_epi8_mask(page[k], number);
        index[k] = _mm512_mask2_permutex2var_epi8(first, index[k], is_here, second);
      }
      number = _mm512_add_epi8(number, _mm512_set1_epi8(1));
    }
    // From TablePlace to pixels.
    for (int half = 0; half < 2; ++half) {
      const Vector* const found = index + 4 * half;
      const Vector a = _mm512_shuffle_i32x4(found[0], found[1], 0x44);
      const Vector b = _mm512_shuffle_i32x4(found[2], found[3], 0x44);
      const Vector c = _mm512_shuffle_i32x4(found[0], found[1], 0xee);
      const Vector d = _mm512_shuffle_i32x4(found[2], found[3], 0xee);
      int8_t* const first = to + 64 * half;
      _mm512_storeu_si512(first, _mm512_shuffle_i32x4(a, b, 0x88));
      _mm512_storeu_si512(first + 128, _mm512_shuffle_i32x4(a, b, 0xdd));
      _mm512_storeu_si512(first + 256, _mm512_shuffle_i32x4(c, d, 0x88));
      _mm512_storeu_si512(first + 384, _mm512_shuffle_i32x4(c, d, 0xdd));
    }
  }
};

/// 256 pixels a vector by the same instructions, of which CPUs begin three a cycle and two of 512 bits: for
/// the last block of an image where it has no more pixels.
struct Avx512HalfBits : Avx2Bits {
  static Vector Xor3(Vector a, Vector b, Vector c) { return _mm256_ternarylogic_epi64(a, b, c, 0x96); }
  static void FullAdd(Vector a, Vector b, Vector c, Vector* sum, Vector* carry) {
    *sum = _mm256_ternarylogic_epi64(a, b, c, 0x96);
    *carry = _mm256_ternarylogic_epi64(a, b, c, 0xe8);
  }
  static Vector LoadShifted(const uint8_t* from, int shift) {
    return _mm256_shrdv_epi64(_mm256_loadu_si256(reinterpret_cast<const Vector*>(from)),
                              _mm256_loadu_si256(reinterpret_cast<const Vector*>(from + 8)),
                              _mm256_set1_epi64x(shift));
  }
  static void Majorities(Vector a, Vector b, Vector c, Vector* table) {
    table[0] = _mm256_ternarylogic_epi64(a, b, c, 0xe8);
    table[1] = _mm256_ternarylogic_epi64(a, b, c, 0x8e);
    table[2] = _mm256_ternarylogic_epi64(a, b, c, 0xb2);
    table[3] = _mm256_ternarylogic_epi64(a, b, c, 0x2b);
    table[4] = _mm256_ternarylogic_epi64(a, b, c, 0xd4);
    table[5] = _mm256_ternarylogic_epi64(a, b, c, 0x4d);
    table[6] = _mm256_ternarylogic_epi64(a, b, c, 0x71);
    table[7] = _mm256_ternarylogic_epi64(a, b, c, 0x17);
  }
  template <int kPlanes>
  static void PlanesToBytes(const Vector (&planes)[kPlanes], Vector (&bytes)[8]) {
    // The matrix product reads rows from the last byte of a quadword up; the second one turns bits around.
    const Vector identity = _mm256_set1_epi64x(static_cast<int64_t>(0x8040201008040201u));
    Vector all[8];
    for (int j = 0; j < 8; ++j) all[j] = j < kPlanes ? planes[j] : Zero();
    ZipBytes(all, bytes);
    for (Vector& x : bytes) {
      x = _mm256_gf2p8affine_epi64_epi8(_mm256_gf2p8affine_epi64_epi8(identity, x, 0), identity, 0);
    }
  }
  template <int kPlanes>
  static void ToValues(Vector ones, const Vector (&counters)[kPlanes], int32_t base, int16_t* values) {
    ToValuesOf<Avx512HalfBits>(ones, counters, base, values);
  }
  template <int kPlanes>
  static void LookUpQuantized(Vector ones, const Vector (&counters)[kPlanes], const QuantizedTable& table,
                              int channel, int64_t block, int8_t* to) {
    __m512i wide[kPlanes];
    for (int j = 0; j < kPlanes; ++j) wide[j] = _mm512_zextsi256_si512(counters[j]);
    Avx512Bits::LookUpQuantized(_mm512_zextsi256_si512(ones), wide, table, channel, block, to);
  }
};

}  // namespace

void BinaryBlockAvx512(const BinaryBlockArgs& args, const BlockRange& range, std::byte* scratch) {
  const int64_t pixels = args.weights->shape().OutPixels(), last = BlocksOf(pixels) - 1;
  const bool is_half = pixels - last * kBlockPixels <= Avx512HalfBits::kBits;
  const int64_t whole = is_half ? last : last + 1;
  BlockRange part = range;
  part.block_end = std::min(range.block_end, whole);
  RunBinaryBlocks<Avx512Bits, FloatAvx512>(args, part, scratch);
  part = range;
  part.block_begin = std::max(range.block_begin, whole);
  RunBinaryBlocks<Avx512HalfBits, FloatAvx512>(args, part, scratch);
}

int64_t BinaryBlockScratchAvx512(const MajorityWeights& weights, int channels) {
  return std::max(BinaryBlockScratch<Avx512Bits>(weights, channels),
                  BinaryBlockScratch<Avx512HalfBits>(weights, channels));
}

void SweepAvx512(const SweepArgs& args, const BlockRange& range) { RunSweep<FloatAvx512>(args, range); }

}  // namespace bdc
