#include <immintrin.h>

#include "kernels/conv-strip.h"
#include "kernels/float-avx2.h"
#include "kernels/kernel-list.h"

namespace bdc {
namespace {

/// Up to 6 channels × 16 positions, of pairs: VPMADDWD adds the products of two 16-bit values. VPMADDUBSW
/// does four, but takes one side unsigned, adds in 16 bits, where the sum may not fit, and wants a VPMADDWD
/// behind it. 12 of the 16 registers hold sums, two pixels, one a weight, one products.
struct Avx2ConvI8 {
  using Word = int32_t;
  using Float = FloatAvx2;
  static constexpr int kFewestRows = 1, kMostRows = 6;
  static constexpr int kPanel = 16;
  static constexpr int kInputOffset = 0;
  static constexpr bool kStoresRows = true;
  static constexpr bool kTakesPairs = true;

  /// sum + x. As an intrinsic GCC adds products to each other first, for which registers don't suffice.
  static inline __m256i AddTo(__m256i sum, __m256i x) {
    __asm__("vpaddd %1, %0, %0" : "+x"(sum) : "x"(x));
    return sum;
  }

  template <int kRows>
  __attribute__((noinline)) static void Run(const ConvTile<int32_t>& tile) {
    __m256i sums[kRows][2];
    StartSums<Float>(tile, sums);
    const int32_t* weight = tile.weight;
    for (int k = 0; k < tile.depth; ++k, weight += kRows) {
      const int32_t* const words = tile.input + tile.taps[k];
      FetchAhead<kPanel>(words);
      const auto* pixels = reinterpret_cast<const __m256i*>(words);
      const __m256i b0 = _mm256_loadu_si256(pixels), b1 = _mm256_loadu_si256(pixels + 1);
#pragma GCC unroll 6
      for (int r = 0; r < kRows; ++r) {
        const __m256i a = _mm256_set1_epi32(weight[r]);
        sums[r][0] = AddTo(sums[r][0], _mm256_madd_epi16(b0, a));
        sums[r][1] = AddTo(sums[r][1], _mm256_madd_epi16(b1, a));
      }
    }
    StoreSums<Float>(tile, sums);
  }
};

}  // namespace

const ConvKernel<int32_t> kConvI8Avx2 = MakeConvKernel<Avx2ConvI8>();

}  // namespace bdc
