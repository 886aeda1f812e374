// Int8 convolution on NEON with either way to multiply quads.
#pragma once

#include <arm_neon.h>

#include "kernels/conv-strip.h"
#include "kernels/float-neon.h"

namespace bdc {
namespace {

/// Up to 8 channels × 12 positions, as in float32. Products::Add(sum, a, b): sum[i] + Σ of the four products
/// of a's and b's quads i.
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
    for (int r = 0; r < kRows; ++r) {
      for (int v = 0; v < kVectors; ++v) {
        sums[r][v] = tile.start ? vdupq_n_s32(tile.start[r]) : vld1q_s32(tile.c + r * kPanel + 4 * v);
      }
    }
    const int32_t* weight = tile.weight;
    for (int k = 0; k < tile.depth; ++k, weight += kRows) {
      const int32_t* pixels = tile.input + tile.taps[k];
      int8x16_t b[kVectors];
      for (int v = 0; v < kVectors; ++v) b[v] = vreinterpretq_s8_s32(vld1q_s32(pixels + 4 * v));
      for (int r = 0; r < kRows; ++r) {
        const int8x16_t a = vreinterpretq_s8_s32(vdupq_n_s32(weight[r]));
        for (int v = 0; v < kVectors; ++v) sums[r][v] = Products::Add(sums[r][v], a, b[v]);
      }
    }
    for (int r = 0; r < kRows; ++r) {
      for (int v = 0; v < kVectors; ++v) vst1q_s32(tile.c + r * kPanel + 4 * v, sums[r][v]);
    }
  }
};

}  // namespace
}  // namespace bdc
