#include <arm_neon.h>

#include "kernels/conv-strip.h"
#include "kernels/conv-weights-neon.h"
#include "kernels/float-neon.h"
#include "kernels/kernel-list.h"

namespace bdc {
namespace {

/// Up to 8 channels × 12 positions: 24 of the 32 registers hold sums.
struct NeonConvF32 {
  using Word = float;
  using Float = FloatNeon;
  static constexpr int kInputOffset = 0;
  static constexpr bool kStoresRows = true;
  static constexpr int kFewestRows = 1, kMostRows = 8;
  static constexpr int kVectors = 3;
  static constexpr int kPanel = 4 * kVectors;

  template <int kRows>
  __attribute__((noinline)) static void Run(const ConvTile<float>& tile) {
    float32x4_t sums[kRows][kVectors];
    StartSums<Float>(tile, sums);
    const float* weight = tile.weight;
    for (int k = 0; k < tile.depth; ++k, weight += kRows) {
      const float* pixels = tile.input + tile.taps[k];
      const ConvWeightsNeon<float, float32x4_t, kRows> weights(weight);
#pragma GCC unroll 3
      for (int v = 0; v < kVectors; ++v) {
        const float32x4_t b = vld1q_f32(pixels + 4 * v);
#pragma GCC unroll 8
        for (int r = 0; r < kRows; ++r) {
          sums[r][v] = vfmaq_n_f32(sums[r][v], b, weights.vector(r)[weights.lane(r)]);
        }
      }
    }
    StoreSums<Float>(tile, sums);
  }
};

}  // namespace

const ConvKernel<float> kConvF32Neon = MakeConvKernel<NeonConvF32>();

}  // namespace bdc
