#include <immintrin.h>

#include "kernels/conv-strip.h"
#include "kernels/float-avx512.h"
#include "kernels/kernel-list.h"

namespace bdc {
namespace {

/// Up to 12 channels × 32 positions, as in float32, 64 products an instruction. VPDPBUSD takes one side
/// unsigned: the pixels are, 128 more than they stand for.
struct Avx512ConvI8 {
  using Word = int32_t;
  using Float = FloatAvx512;
  static constexpr int kFewestRows = 1, kMostRows = 12;
  static constexpr int kPanel = 32;
  static constexpr int kInputOffset = 128;
  static constexpr bool kStoresRows = true;

  template <int kRows>
  __attribute__((noinline)) static void Run(const ConvTile<int32_t>& tile) {
    const __m512i offset = _mm512_set1_epi8(static_cast<char>(kInputOffset));
    __m512i sums[kRows][2];
    StartSums<Float>(tile, sums);
    const int32_t* weight = tile.weight;
    for (int k = 0; k < tile.depth; ++k, weight += kRows) {
      const int32_t* pixels = tile.input + tile.taps[k];
      FetchAhead<kPanel>(pixels);
      // Adding 128 to a byte is flipping its highest bit.
      const __m512i b0 = _mm512_xor_si512(_mm512_loadu_si512(pixels), offset);
      const __m512i b1 = _mm512_xor_si512(_mm512_loadu_si512(pixels + 16), offset);
#pragma GCC unroll 12
      for (int r = 0; r < kRows; ++r) {
        const __m512i a = _mm512_set1_epi32(weight[r]);
        sums[r][0] = _mm512_dpbusd_epi32(sums[r][0], b0, a);
        sums[r][1] = _mm512_dpbusd_epi32(sums[r][1], b1, a);
      }
    }
    StoreSums<Float>(tile, sums);
  }
};

}  // namespace

const ConvKernel<int32_t> kConvI8Avx512 = MakeConvKernel<Avx512ConvI8>();

}  // namespace bdc
