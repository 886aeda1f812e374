#include <immintrin.h>

#include "kernels/gemm-f32-blocks.h"
#include "kernels/kernel-list.h"

namespace bdc {
namespace {

/// 8 × 32: 16 sums are enough to hide the latency of two multiply-adds a cycle; 10 loads serve 16 of them.
struct Avx512Tile {
  static constexpr int kRows = 8;
  static constexpr int kPanel = 32;

  // Not inlined: GCC keeps the sums in registers only where the tile is a function of its own.
  __attribute__((noinline)) static void Run(const GemmTile& tile) {
    __m512 sums[kRows][2];
    for (int r = 0; r < kRows; ++r) {
      for (int v = 0; v < 2; ++v) sums[r][v] = _mm512_loadu_ps(tile.c + r * tile.c_stride + 16 * v);
    }
    for (int k = 0; k < tile.depth; ++k) {
      const float* panel = tile.panel + static_cast<int64_t>(k) * kPanel;
      const __m512 b0 = _mm512_loadu_ps(panel);
      const __m512 b1 = _mm512_loadu_ps(panel + 16);
      for (int r = 0; r < kRows; ++r) {
        const __m512 a = _mm512_set1_ps(tile.a[r * tile.a_stride + k]);
        sums[r][0] = _mm512_fmadd_ps(a, b0, sums[r][0]);
        sums[r][1] = _mm512_fmadd_ps(a, b1, sums[r][1]);
      }
    }
    for (int r = 0; r < kRows; ++r) {
      for (int v = 0; v < 2; ++v) _mm512_storeu_ps(tile.c + r * tile.c_stride + 16 * v, sums[r][v]);
    }
  }
};

}  // namespace

void GemmF32Avx512(const GemmArgs& args, int64_t begin, int64_t end) {
  RunGemm<Avx512Tile>(args, begin, end);
}

}  // namespace bdc
