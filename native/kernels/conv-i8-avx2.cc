#include <immintrin.h>

#include "kernels/conv-strip.h"
#include "kernels/float-avx2.h"
#include "kernels/kernel-list.h"

namespace bdc {
namespace {

/// Up to 4 channels × 16 positions. VPMADDUBSW takes one side unsigned and adds two products in 16 bits:
/// |pixel| · (weight with the pixel's sign), at most 2 · 127², fits.
struct Avx2ConvI8 {
  using Word = int32_t;
  using Float = FloatAvx2;
  static constexpr bool kStartsAtZero = false;
  static constexpr int kFewestRows = 1, kMostRows = 4;
  static constexpr int kPanel = 16;
  static constexpr int kInputOffset = 0;

  template <int kRows>
  __attribute__((noinline)) static void Run(const ConvTile<int32_t>& tile) {
    const __m256i ones = _mm256_set1_epi16(1);
    __m256i sums[kRows][2];
    const auto place = [&tile](int r, int v) {
      return reinterpret_cast<__m256i*>(tile.c + r * kPanel + 8 * v);
    };
    for (int r = 0; r < kRows; ++r) {
      for (int v = 0; v < 2; ++v) sums[r][v] = _mm256_load_si256(place(r, v));
    }
    const int32_t* weight = tile.weight;
    for (int k = 0; k < tile.depth; ++k, weight += kRows) {
      const auto* pixels = reinterpret_cast<const __m256i*>(tile.input + tile.taps[k]);
      const __m256i b[2] = {_mm256_loadu_si256(pixels), _mm256_loadu_si256(pixels + 1)};
      const __m256i size[2] = {_mm256_abs_epi8(b[0]), _mm256_abs_epi8(b[1])};
      for (int r = 0; r < kRows; ++r) {
        const __m256i a = _mm256_set1_epi32(weight[r]);
        for (int v = 0; v < 2; ++v) {
          const __m256i pairs = _mm256_maddubs_epi16(size[v], _mm256_sign_epi8(a, b[v]));
          sums[r][v] = _mm256_add_epi32(sums[r][v], _mm256_madd_epi16(pairs, ones));
        }
      }
    }
    for (int r = 0; r < kRows; ++r) {
      for (int v = 0; v < 2; ++v) _mm256_store_si256(place(r, v), sums[r][v]);
    }
  }
};

}  // namespace

const ConvKernel<int32_t> kConvI8Avx2 = MakeConvKernel<Avx2ConvI8>();

}  // namespace bdc
