// Int8 convolution on NEON with either way to multiply quads.
#pragma once

#include <arm_neon.h>

#include "kernels/conv-strip.h"
#include "kernels/conv-weights-neon.h"
#include "kernels/float-neon.h"

namespace bdc {
namespace {

/// Up to 8 channels × 12 positions, as in float32. Products::Add(sum, a, lane, b): sum[i] + Σ of the four
/// products of quad `lane` of a and quad i of b.
template <typename Products>
struct NeonConvI8 {
  using Word = int32_t;
  using Float = FloatNeon;
  static constexpr int kFewestRows = 1, kMostRows = 8;
  static constexpr int kVectors = 3;
  static constexpr int kPanel = 4 * kVectors;
  static constexpr int kInputOffset = 0;

  template <int kRows>
  __attribute__((noinline)) static void Run(const ConvTile<int32_t>& tile) {
    int32x4_t sums[kRows][kVectors];
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 3
      for (int v = 0; v < kVectors; ++v) {
        sums[r][v] = tile.start ? vdupq_n_s32(tile.start[r]) : vld1q_s32(tile.c + r * kPanel + 4 * v);
      }
    }
    const int32_t* weight = tile.weight;
    for (int k = 0; k < tile.depth; ++k, weight += kRows) {
      const int32_t* pixels = tile.input + tile.taps[k];
      const ConvWeightsNeon<int32_t, int32x4_t, kRows> weights(weight);
#pragma GCC unroll 3
      for (int v = 0; v < kVectors; ++v) {
        const int8x16_t b = vreinterpretq_s8_s32(vld1q_s32(pixels + 4 * v));
#pragma GCC unroll 8
        for (int r = 0; r < kRows; ++r) {
          sums[r][v] = Products::Add(sums[r][v], weights.vector(r), weights.lane(r), b);
        }
      }
    }
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 3
      for (int v = 0; v < kVectors; ++v) vst1q_s32(tile.c + r * kPanel + 4 * v, sums[r][v]);
    }
  }
};

}  // namespace
}  // namespace bdc
