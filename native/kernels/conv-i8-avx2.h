// Int8 convolution on 256-bit vectors with either way to multiply quads.
#pragma once

#include <immintrin.h>

#include "kernels/conv-strip.h"
#include "kernels/float-avx2.h"

namespace bdc {
namespace {

/// Up to Products::kMostRows channels × 16 positions. Products::Pixels(x): what a quad of pixels takes part
/// as; Products::Add(sum, pixels, a): sum[i] + Σ of the four products of the pixels' and a's quads i, off by
/// kInputOffset · Σ a.
template <typename Products>
struct Avx2ConvI8 {
  using Word = int32_t;
  using Float = FloatAvx2;
  static constexpr int kFewestRows = 1, kMostRows = Products::kMostRows;
  static constexpr int kPanel = 16;
  static constexpr int kInputOffset = Products::kInputOffset;

  template <int kRows>
  __attribute__((noinline)) static void Run(const ConvTile<int32_t>& tile) {
    __m256i sums[kRows][2];
    const auto place = [&tile](int r, int v) {
      return reinterpret_cast<__m256i*>(tile.c + r * kPanel + 8 * v);
    };
    for (int r = 0; r < kRows; ++r) {
      for (int v = 0; v < 2; ++v) {
        sums[r][v] = tile.start ? _mm256_set1_epi32(tile.start[r]) : _mm256_load_si256(place(r, v));
      }
    }
    const int32_t* weight = tile.weight;
    for (int k = 0; k < tile.depth; ++k, weight += kRows) {
      const auto* pixels = reinterpret_cast<const __m256i*>(tile.input + tile.taps[k]);
      const typename Products::Pixels b[2] = {_mm256_loadu_si256(pixels), _mm256_loadu_si256(pixels + 1)};
      for (int r = 0; r < kRows; ++r) {
        const __m256i a = _mm256_set1_epi32(weight[r]);
        for (int v = 0; v < 2; ++v) sums[r][v] = Products::Add(sums[r][v], b[v], a);
      }
    }
    for (int r = 0; r < kRows; ++r) {
      for (int v = 0; v < 2; ++v) _mm256_store_si256(place(r, v), sums[r][v]);
    }
  }
};

}  // namespace
}  // namespace bdc
