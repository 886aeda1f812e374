#include <immintrin.h>

#include "kernels/kernel-list.h"
#include "kernels/pack-signs-strip.h"

namespace bdc {
namespace {

/// vmovmskps gives one byte for 8 pixels of a channel; vpmovmskb then picks one pixel's bit out of 32
/// channels' bytes.
struct Avx2Packer {
  static constexpr int kStrip = 32;
  static constexpr int kVectors = kStrip / 8;

  static void PackStrip(const float* input, int64_t plane, const float* threshold, const int8_t* direction,
                        int channels, uint64_t* output, int64_t words) {
    alignas(32) uint8_t rows[kVectors][64] = {};  // bit p of rows[v][c]: channel c, pixel 8·v + p
    for (int c = 0; c < channels; ++c) {
      const __m256 flip = _mm256_castsi256_ps(_mm256_set1_epi32(static_cast<int32_t>(FlipOf(direction[c]))));
      const __m256 limit = _mm256_xor_ps(_mm256_set1_ps(threshold[c]), flip);
      const float* row = input + c * plane;
      for (int v = 0; v < kVectors; ++v) {
        const __m256 x = _mm256_xor_ps(_mm256_loadu_ps(row + 8 * v), flip);
        rows[v][c] = static_cast<uint8_t>(_mm256_movemask_ps(_mm256_cmp_ps(x, limit, _CMP_GE_OQ)));
      }
    }
    for (int v = 0; v < kVectors; ++v) {
      __m256i low = _mm256_load_si256(reinterpret_cast<const __m256i*>(rows[v]));
      __m256i high = _mm256_load_si256(reinterpret_cast<const __m256i*>(rows[v] + 32));
      // vpmovmskb reads the top bit of each byte: the last pixel comes first. Doubling a byte moves the next
      // bit up.
      for (int p = 7; p >= 0; --p) {
        const uint32_t low_bits = static_cast<uint32_t>(_mm256_movemask_epi8(low));
        const uint32_t high_bits = static_cast<uint32_t>(_mm256_movemask_epi8(high));
        output[(8 * v + p) * words] = static_cast<uint64_t>(high_bits) << 32 | low_bits;
        low = _mm256_add_epi8(low, low);
        high = _mm256_add_epi8(high, high);
      }
    }
  }
};

}  // namespace

void PackSignsAvx2(const PackSignsArgs& args, int begin, int end) {
  RunPackSigns<Avx2Packer>(args, begin, end);
}

}  // namespace bdc
