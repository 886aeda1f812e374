#include <immintrin.h>

#include "kernels/binary-conv2d-panel.h"
#include "kernels/kernel-list.h"

namespace bdc {
namespace {

/// AVX2 has no popcount: vpshufb looks up both nibbles of each byte (Muła), bytes count up to 31 words, then
/// vpsadbw sums them. Two output channels share each load of the panel; more would not fit the 16 registers.
struct Avx2Counter {
  static constexpr int kWordsPerByteCounter = 31;  // at most 8 bits each
  static constexpr int kVectors = kLanes / 4;

  template <bool kMasked>
  static void Count(const Panel& panel, const uint64_t* weight, int64_t weight_stride, int channels,
                    int32_t (*mismatches)[kLanes]) {
    int c = 0;
    for (; c + 2 <= channels; c += 2) {
      CountChannels<kMasked, 2>(panel, weight + c * weight_stride, weight_stride, mismatches + c);
    }
    if (c < channels)
      CountChannels<kMasked, 1>(panel, weight + c * weight_stride, weight_stride, mismatches + c);
  }

 private:
  template <bool kMasked, int kChannels>
  static void CountChannels(const Panel& panel, const uint64_t* weight, int64_t weight_stride,
                            int32_t (*mismatches)[kLanes]) {
    const __m256i zero = _mm256_setzero_si256();
    const __m256i low_nibbles = _mm256_set1_epi8(0x0f);
    const __m256i counts_of_nibble = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,  //
                                                      0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
    __m256i sums[kChannels][kVectors];
    for (int c = 0; c < kChannels; ++c) {
      for (int v = 0; v < kVectors; ++v) sums[c][v] = zero;
    }
    for (int first = 0; first < panel.depth; first += kWordsPerByteCounter) {
      const int rest = panel.depth - first;
      const int last = first + (rest < kWordsPerByteCounter ? rest : kWordsPerByteCounter);
      __m256i bytes[kChannels][kVectors];
      for (int c = 0; c < kChannels; ++c) {
        for (int v = 0; v < kVectors; ++v) bytes[c][v] = zero;
      }
      for (int k = first; k < last; ++k) {
        const __m256i* words = reinterpret_cast<const __m256i*>(panel.words[k]);
        const __m256i* masks = reinterpret_cast<const __m256i*>(panel.masks[k]);
        for (int c = 0; c < kChannels; ++c) {
          const __m256i w = _mm256_set1_epi64x(static_cast<int64_t>(weight[c * weight_stride + k]));
          for (int v = 0; v < kVectors; ++v) {
            __m256i x = _mm256_xor_si256(w, words[v]);
            if constexpr (kMasked) x = _mm256_and_si256(x, masks[v]);
            const __m256i low = _mm256_and_si256(x, low_nibbles);
            const __m256i high = _mm256_and_si256(_mm256_srli_epi16(x, 4), low_nibbles);
            const __m256i count = _mm256_add_epi8(_mm256_shuffle_epi8(counts_of_nibble, low),
                                                  _mm256_shuffle_epi8(counts_of_nibble, high));
            bytes[c][v] = _mm256_add_epi8(bytes[c][v], count);
          }
        }
      }
      for (int c = 0; c < kChannels; ++c) {
        for (int v = 0; v < kVectors; ++v) {
          sums[c][v] = _mm256_add_epi64(sums[c][v], _mm256_sad_epu8(bytes[c][v], zero));
        }
      }
    }
    for (int c = 0; c < kChannels; ++c) {
      for (int v = 0; v < kVectors; v += 2) {
        // The low halves of eight 64-bit sums, in order.
        const __m256 halves = _mm256_shuffle_ps(_mm256_castsi256_ps(sums[c][v]),
                                                _mm256_castsi256_ps(sums[c][v + 1]), _MM_SHUFFLE(2, 0, 2, 0));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(mismatches[c] + 4 * v),
                            _mm256_permute4x64_epi64(_mm256_castps_si256(halves), _MM_SHUFFLE(3, 1, 2, 0)));
      }
    }
  }
};

}  // namespace

void BinaryConv2dAvx2(const BinaryConv2dArgs& args, int begin, int end) {
  RunBinaryConv2d<Avx2Counter>(args, begin, end);
}

}  // namespace bdc
