#include <immintrin.h>

#include "kernels/conv-strip.h"
#include "kernels/float-avx2.h"
#include "kernels/kernel-list.h"

namespace bdc {
namespace {

/// Up to 6 channels × 16 positions: 12 of the 16 registers hold sums, two pixels, one a weight.
struct Avx2ConvF32 {
  using Word = float;
  using Float = FloatAvx2;
  static constexpr int kInputOffset = 0;
  static constexpr bool kStoresRows = true;
  static constexpr int kFewestRows = 1, kMostRows = 6;
  static constexpr int kPanel = 16;

  // Not inlined: GCC keeps the sums in registers only where the tile is a function of its own.
  template <int kRows>
  __attribute__((noinline)) static void Run(const ConvTile<float>& tile) {
    __m256 sums[kRows][2];
    StartSums<Float>(tile, sums);
    const float* weight = tile.weight;
    for (int k = 0; k < tile.depth; ++k, weight += kRows) {
      const float* pixels = tile.input + tile.taps[k];
      FetchAhead<kPanel>(pixels);
      const __m256 b0 = _mm256_loadu_ps(pixels);
      const __m256 b1 = _mm256_loadu_ps(pixels + 8);
#pragma GCC unroll 12
      for (int r = 0; r < kRows; ++r) {
        const __m256 a = _mm256_set1_ps(weight[r]);
        sums[r][0] = _mm256_fmadd_ps(a, b0, sums[r][0]);
        sums[r][1] = _mm256_fmadd_ps(a, b1, sums[r][1]);
      }
    }
    StoreSums<Float>(tile, sums);
  }
};

}  // namespace

const ConvKernel<float> kConvF32Avx2 = MakeConvKernel<Avx2ConvF32>();

}  // namespace bdc
