#include <immintrin.h>

#include "kernels/gemm-f32-blocks.h"
#include "kernels/kernel-list.h"

namespace bdc {
namespace {

/// 6 × 16: 12 of the 16 registers hold sums, 2 a row of the panel, 1 the value of A.
struct Avx2Tile {
  static constexpr int kRows = 6;
  static constexpr int kPanel = 16;

  static void Run(const GemmTile& tile) {
    __m256 sums[kRows][2];
    for (int r = 0; r < kRows; ++r) {
      for (int v = 0; v < 2; ++v) sums[r][v] = _mm256_loadu_ps(tile.c + r * tile.c_stride + 8 * v);
    }
    for (int k = 0; k < tile.depth; ++k) {
      const float* panel = tile.panel + static_cast<int64_t>(k) * kPanel;
      const __m256 b0 = _mm256_loadu_ps(panel);
      const __m256 b1 = _mm256_loadu_ps(panel + 8);
      for (int r = 0; r < kRows; ++r) {
        const __m256 a = _mm256_set1_ps(tile.a[r * tile.a_stride + k]);
        sums[r][0] = _mm256_fmadd_ps(a, b0, sums[r][0]);
        sums[r][1] = _mm256_fmadd_ps(a, b1, sums[r][1]);
      }
    }
    for (int r = 0; r < kRows; ++r) {
      for (int v = 0; v < 2; ++v) _mm256_storeu_ps(tile.c + r * tile.c_stride + 8 * v, sums[r][v]);
    }
  }
};

}  // namespace

void GemmF32Avx2(const GemmArgs& args, int64_t begin, int64_t end) { RunGemm<Avx2Tile>(args, begin, end); }

}  // namespace bdc
