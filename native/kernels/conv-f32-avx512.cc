#include <immintrin.h>

#include "kernels/conv-strip.h"
#include "kernels/float-avx512.h"
#include "kernels/kernel-list.h"

namespace bdc {
namespace {

/// Up to 12 channels × 32 positions: 24 sums, 2 loads of pixels and 12 of weights for 24 multiply-adds.
struct Avx512ConvF32 {
  using Word = float;
  using Float = FloatAvx512;
  static constexpr int kInputOffset = 0;
  static constexpr bool kStoresRows = true;
  static constexpr int kFewestRows = 1, kMostRows = 12;
  static constexpr int kPanel = 32;

  // Not inlined: GCC keeps the sums in registers only where the tile is a function of its own.
  template <int kRows>
  __attribute__((noinline)) static void Run(const ConvTile<float>& tile) {
    __m512 sums[kRows][2];
    StartSums<Float>(tile, sums);
    const float* weight = tile.weight;
    for (int k = 0; k < tile.depth; ++k, weight += kRows) {
      const float* pixels = tile.input + tile.taps[k];
      FetchAhead<kPanel>(pixels);
      const __m512 b0 = _mm512_loadu_ps(pixels);
      const __m512 b1 = _mm512_loadu_ps(pixels + 16);
#pragma GCC unroll 12
      for (int r = 0; r < kRows; ++r) {
        const __m512 a = _mm512_set1_ps(weight[r]);
        sums[r][0] = _mm512_fmadd_ps(a, b0, sums[r][0]);
        sums[r][1] = _mm512_fmadd_ps(a, b1, sums[r][1]);
      }
    }
    StoreSums<Float>(tile, sums);
  }
};

}  // namespace

const ConvKernel<float> kConvF32Avx512 = MakeConvKernel<Avx512ConvF32>();

}  // namespace bdc
