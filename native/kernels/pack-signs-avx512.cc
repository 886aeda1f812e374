#include <immintrin.h>

#include "kernels/kernel-list.h"
#include "kernels/pack-signs-strip.h"

namespace bdc {
namespace {

/// A comparison gives a mask of 16 pixels of one channel; VPTESTMW then picks one pixel's bit out of 32
/// channels' masks.
struct Avx512Packer {
  static constexpr int kStrip = 64;
  static constexpr int kVectors = kStrip / 16;

  static void PackStrip(const float* input, int64_t plane, const float* threshold, const int8_t* direction,
                        int channels, uint64_t* output, int64_t words) {
    alignas(64) uint16_t rows[kVectors][64] = {};  // bit p of rows[v][c]: channel c, pixel 16·v + p
    for (int c = 0; c < channels; ++c) {
      const __m512i flip = _mm512_set1_epi32(static_cast<int32_t>(FlipOf(direction[c])));
      const __m512 limit =
          _mm512_castsi512_ps(_mm512_xor_si512(_mm512_castps_si512(_mm512_set1_ps(threshold[c])), flip));
      const float* row = input + c * plane;
      for (int v = 0; v < kVectors; ++v) {
        const __m512i x = _mm512_xor_si512(_mm512_loadu_si512(row + 16 * v), flip);
        rows[v][c] = _mm512_cmp_ps_mask(_mm512_castsi512_ps(x), limit, _CMP_GE_OQ);
      }
    }
    for (int v = 0; v < kVectors; ++v) {
      const __m512i low = _mm512_load_si512(rows[v]);
      const __m512i high = _mm512_load_si512(rows[v] + 32);
      for (int p = 0; p < 16; ++p) {
        const __m512i pixel = _mm512_set1_epi16(static_cast<int16_t>(1u << p));
        const uint64_t low_bits = _mm512_test_epi16_mask(low, pixel);
        const uint64_t high_bits = _mm512_test_epi16_mask(high, pixel);
        output[(16 * v + p) * words] = high_bits << 32 | low_bits;
      }
    }
  }
};

}  // namespace

void PackSignsAvx512(const PackSignsArgs& args, int begin, int end) {
  RunPackSigns<Avx512Packer>(args, begin, end);
}

}  // namespace bdc
