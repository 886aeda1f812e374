#include <arm_neon.h>

#include "kernels/gemm-f32-blocks.h"
#include "kernels/kernel-list.h"

namespace bdc {
namespace {

/// 8 × 8: 16 of the 32 registers hold sums; four values of A per row are read at once and multiplied by lane.
struct NeonTile {
  static constexpr int kRows = 8;
  static constexpr int kPanel = 8;

  static void Run(const GemmTile& tile) {
    float32x4_t sums[kRows][2];
    for (int r = 0; r < kRows; ++r) {
      for (int v = 0; v < 2; ++v) sums[r][v] = vld1q_f32(tile.c + r * tile.c_stride + 4 * v);
    }
    int k = 0;
    for (; k + 4 <= tile.depth; k += 4) {
      float32x4_t a[kRows];
      for (int r = 0; r < kRows; ++r) a[r] = vld1q_f32(tile.a + r * tile.a_stride + k);
      Step<0>(tile.panel + k * kPanel, a, sums);
      Step<1>(tile.panel + (k + 1) * kPanel, a, sums);
      Step<2>(tile.panel + (k + 2) * kPanel, a, sums);
      Step<3>(tile.panel + (k + 3) * kPanel, a, sums);
    }
    for (; k < tile.depth; ++k) {
      float32x4_t a[kRows];
      for (int r = 0; r < kRows; ++r) a[r] = vdupq_n_f32(tile.a[r * tile.a_stride + k]);
      Step<0>(tile.panel + k * kPanel, a, sums);
    }
    for (int r = 0; r < kRows; ++r) {
      for (int v = 0; v < 2; ++v) vst1q_f32(tile.c + r * tile.c_stride + 4 * v, sums[r][v]);
    }
  }

 private:
  template <int kLane>
  static void Step(const float* panel, const float32x4_t* a, float32x4_t (*sums)[2]) {
    const float32x4_t b0 = vld1q_f32(panel);
    const float32x4_t b1 = vld1q_f32(panel + 4);
    for (int r = 0; r < kRows; ++r) {
      sums[r][0] = vfmaq_laneq_f32(sums[r][0], b0, a[r], kLane);
      sums[r][1] = vfmaq_laneq_f32(sums[r][1], b1, a[r], kLane);
    }
  }
};

}  // namespace

void GemmF32Neon(const GemmArgs& args, int64_t begin, int64_t end) { RunGemm<NeonTile>(args, begin, end); }

}  // namespace bdc
