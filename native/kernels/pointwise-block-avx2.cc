#include <immintrin.h>

#include "kernels/float-avx2.h"
#include "kernels/kernel-list.h"
#include "kernels/pointwise-block-tables.h"

namespace bdc {
namespace {

/// 16 pixels a vector: one load and VPADDW for 64 multiply-adds, where VPMADDUBSW and VPMADDWD do 32.
struct Int16Avx2 {
  using Vector = __m256i;
  using Value = int16_t;
  using Input = int8_t;
  static constexpr int kPixels = 16;
  static Vector Zero() { return _mm256_setzero_si256(); }
  static Vector Add(Vector a, Vector b) { return _mm256_add_epi16(a, b); }
  static Vector Sub(Vector a, Vector b) { return _mm256_sub_epi16(a, b); }
  static Vector LoadInput(const int8_t* from) {
    return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
  }
  static void StoreValue(int16_t* to, Vector x) { _mm256_store_si256(reinterpret_cast<Vector*>(to), x); }
  static void AddToFloat(float* to, Vector x, bool first) {
    for (int half = 0; half < 2; ++half) {
      const __m128i part = half == 0 ? _mm256_castsi256_si128(x) : _mm256_extracti128_si256(x, 1);
      __m256 y = _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(part));
      if (!first) y = _mm256_add_ps(y, _mm256_load_ps(to + 8 * half));
      _mm256_store_ps(to + 8 * half, y);
    }
  }
};

}  // namespace

void PointwiseBlockAvx2(const PointwiseBlockArgs& args, const BlockRange& range, std::byte* scratch) {
  RunPointwiseBlocks<Int16Avx2, FloatAvx2>(args, range, scratch);
}

int64_t PointwiseBlockScratchAvx2(int channels) { return PointwiseBlockScratch<Int16Avx2>(channels); }

}  // namespace bdc
