#include <immintrin.h>

#include "kernels/conv-f32-strip.h"
#include "kernels/kernel-list.h"

namespace bdc {
namespace {

/// Up to 6 channels × 16 positions: 12 of the 16 registers hold sums, two pixels, one a weight.
struct Avx2Conv {
  static constexpr int kMostRows = kConvRowsAvx2;
  static constexpr int kPanel = 16;

  // Not inlined: GCC keeps the sums in registers only where the tile is a function of its own.
  template <int kRows>
  __attribute__((noinline)) static void Run(const ConvTile& tile) {
    __m256 sums[kRows][2];
    for (int r = 0; r < kRows; ++r) {
      for (int v = 0; v < 2; ++v) sums[r][v] = _mm256_load_ps(tile.c + r * kPanel + 8 * v);
    }
    const float* weight = tile.weight;
    for (int k = 0; k < tile.depth; ++k, weight += kRows) {
      const float* pixels = tile.input + tile.taps[k];
      const __m256 b0 = _mm256_loadu_ps(pixels);
      const __m256 b1 = _mm256_loadu_ps(pixels + 8);
      for (int r = 0; r < kRows; ++r) {
        const __m256 a = _mm256_set1_ps(weight[r]);
        sums[r][0] = _mm256_fmadd_ps(a, b0, sums[r][0]);
        sums[r][1] = _mm256_fmadd_ps(a, b1, sums[r][1]);
      }
    }
    for (int r = 0; r < kRows; ++r) {
      for (int v = 0; v < 2; ++v) _mm256_store_ps(tile.c + r * kPanel + 8 * v, sums[r][v]);
    }
  }
};

}  // namespace

void ConvF32Avx2(const ConvF32Args& args, int begin, int end) { RunConvF32<Avx2Conv>(args, begin, end); }

}  // namespace bdc
