#include <immintrin.h>

#include "kernels/conv-i8-avx2.h"
#include "kernels/kernel-list.h"

namespace bdc {
namespace {

/// VPDPBUSD: all of it in one instruction. It takes one side unsigned: the pixels are, 128 more than they
/// stand for. 12 of the 16 registers hold sums, two pixels, one a weight, one the offset.
struct QuadProducts {
  static constexpr int kMostRows = 6;
  static constexpr int kInputOffset = 128;
  struct Pixels {
    __m256i value;
    /// Adding 128 to a byte is flipping its highest bit.
    Pixels(__m256i x) : value(_mm256_xor_si256(x, _mm256_set1_epi8(static_cast<char>(kInputOffset)))) {}
  };
  static __m256i Add(__m256i sum, const Pixels& b, __m256i a) {
    return _mm256_dpbusd_avx_epi32(sum, b.value, a);
  }
};

}  // namespace

const ConvKernel<int32_t> kConvI8AvxVnni = MakeConvKernel<Avx2ConvI8<QuadProducts>>();

}  // namespace bdc
