#include "kernels/conv-i8-avx2.h"

#include <immintrin.h>

#include "kernels/kernel-list.h"

namespace bdc {
namespace {

/// VPMADDUBSW takes one side unsigned and adds two products in 16 bits: |pixel| · (weight with the pixel's
/// sign), at most 2 · 127², fits.
struct PairProducts {
  static constexpr int kMostRows = 4;
  static constexpr int kInputOffset = 0;
  struct Pixels {
    __m256i value, size;
    Pixels(__m256i x) : value(x), size(_mm256_abs_epi8(x)) {}
  };
  static __m256i Add(__m256i sum, const Pixels& b, __m256i a) {
    const __m256i pairs = _mm256_maddubs_epi16(b.size, _mm256_sign_epi8(a, b.value));
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
};

}  // namespace

const ConvKernel<int32_t> kConvI8Avx2 = MakeConvKernel<Avx2ConvI8<PairProducts>>();

}  // namespace bdc
