#include <immintrin.h>

#include "kernels/conv-strip.h"
#include "kernels/float-avx2.h"
#include "kernels/kernel-list.h"

namespace bdc {
namespace {

/// Up to 6 channels × 16 positions. VPDPBUSD does all of a quad in one instruction; it takes one side
/// unsigned: the pixels are, 128 more than they stand for. 12 of the 16 registers hold sums, two pixels, one
/// a weight, one the offset.
struct AvxVnniConvI8 {
  using Word = int32_t;
  using Float = FloatAvx2;
  static constexpr int kFewestRows = 1, kMostRows = 6;
  static constexpr int kPanel = 16;
  static constexpr int kInputOffset = 128;
  static constexpr bool kStoresRows = true;

  template <int kRows>
  __attribute__((noinline)) static void Run(const ConvTile<int32_t>& tile) {
    const __m256i offset = _mm256_set1_epi8(static_cast<char>(kInputOffset));
    __m256i sums[kRows][2];
    StartSums<Float>(tile, sums);
    const int32_t* weight = tile.weight;
    for (int k = 0; k < tile.depth; ++k, weight += kRows) {
      const int32_t* const words = tile.input + tile.taps[k];
      FetchAhead<kPanel>(words);
      const auto* pixels = reinterpret_cast<const __m256i*>(words);
      // Adding 128 to a byte is flipping its highest bit.
      const __m256i b0 = _mm256_xor_si256(_mm256_loadu_si256(pixels), offset);
      const __m256i b1 = _mm256_xor_si256(_mm256_loadu_si256(pixels + 1), offset);
#pragma GCC unroll 6
      for (int r = 0; r < kRows; ++r) {
        const __m256i a = _mm256_set1_epi32(weight[r]);
        sums[r][0] = _mm256_dpbusd_avx_epi32(sums[r][0], b0, a);
        sums[r][1] = _mm256_dpbusd_avx_epi32(sums[r][1], b1, a);
      }
    }
    StoreSums<Float>(tile, sums);
  }
};

}  // namespace

const ConvKernel<int32_t> kConvI8AvxVnni = MakeConvKernel<AvxVnniConvI8>();

}  // namespace bdc
