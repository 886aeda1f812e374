#include <immintrin.h>

#include "kernels/float-avx512.h"
#include "kernels/kernel-list.h"
#include "kernels/pointwise-block-tables.h"

namespace bdc {
namespace {

/// 32 pixels a vector: one load and VPADDW for 128 multiply-adds, where VPDPBUSD does 64.
struct Int16Avx512 {
  using Vector = __m512i;
  using Value = int16_t;
  using Input = int8_t;
  static constexpr int kPixels = 32;
  static Vector Zero() { return _mm512_setzero_si512(); }
  static Vector Add(Vector a, Vector b) { return _mm512_add_epi16(a, b); }
  static Vector Sub(Vector a, Vector b) { return _mm512_sub_epi16(a, b); }
  static Vector LoadInput(const int8_t* from) {
    return _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
  }
  static void StoreValue(int16_t* to, Vector x) { _mm512_store_si512(to, x); }
  static void AddToFloat(float* to, Vector x, bool first) { FloatAvx512::AddInt16To(to, x, first); }
};

}  // namespace

void PointwiseBlockAvx512(const PointwiseBlockArgs& args, const BlockRange& range, std::byte* scratch) {
  RunPointwiseBlocks<Int16Avx512, FloatAvx512>(args, range, scratch);
}

int64_t PointwiseBlockScratchAvx512(int channels) { return PointwiseBlockScratch<Int16Avx512>(channels); }

}  // namespace bdc
