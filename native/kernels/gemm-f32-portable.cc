#include "kernels/gemm-f32-blocks.h"
#include "kernels/kernel-list.h"

namespace bdc {
namespace {

struct PortableTile {
  static constexpr int kRows = 4;
  static constexpr int kPanel = 8;

  static void Run(const GemmTile& tile) {
    float sums[kRows][kPanel];
    for (int r = 0; r < kRows; ++r) {
      for (int j = 0; j < kPanel; ++j) sums[r][j] = tile.c[r * tile.c_stride + j];
    }
    for (int k = 0; k < tile.depth; ++k) {
      const float* b = tile.panel + k * kPanel;
      for (int r = 0; r < kRows; ++r) {
        const float a = tile.a[r * tile.a_stride + k];
        for (int j = 0; j < kPanel; ++j) sums[r][j] += a * b[j];
      }
    }
    for (int r = 0; r < kRows; ++r) {
      for (int j = 0; j < kPanel; ++j) tile.c[r * tile.c_stride + j] = sums[r][j];
    }
  }
};

}  // namespace

void GemmF32Portable(const GemmArgs& args, int64_t begin, int64_t end) {
  RunGemm<PortableTile>(args, begin, end);
}

}  // namespace bdc
