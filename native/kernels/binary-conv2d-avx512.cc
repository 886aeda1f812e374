#include <immintrin.h>

#include "kernels/binary-conv2d-panel.h"
#include "kernels/kernel-list.h"

namespace bdc {
namespace {

/// VPOPCNTQ counts 64-bit lanes directly. 4 output channels × 2 vectors of pixels: 8 independent sums hide
/// its latency, 6 loads serve 8 vectors of work.
struct Avx512Counter {
  static constexpr int kVectors = kLanes / 8;

  template <bool kMasked>
  static void Count(const Panel& panel, const uint64_t* weight, int64_t weight_stride, int channels,
                    int32_t (*mismatches)[kLanes]) {
    if (channels == kChannelBlock) {
      CountChannels<kMasked, kChannelBlock>(panel, weight, weight_stride, mismatches);
      return;
    }
    for (int c = 0; c < channels; ++c) {
      CountChannels<kMasked, 1>(panel, weight + c * weight_stride, weight_stride, mismatches + c);
    }
  }

 private:
  template <bool kMasked, int kChannels>
  static void CountChannels(const Panel& panel, const uint64_t* weight, int64_t weight_stride,
                            int32_t (*mismatches)[kLanes]) {
    __m512i sums[kChannels][kVectors];
    for (int c = 0; c < kChannels; ++c) {
      for (int v = 0; v < kVectors; ++v) sums[c][v] = _mm512_setzero_si512();
    }
    for (int k = 0; k < panel.depth; ++k) {
      __m512i words[kVectors], masks[kVectors];
      for (int v = 0; v < kVectors; ++v) {
        words[v] = _mm512_load_si512(panel.words[k] + 8 * v);
        if constexpr (kMasked) masks[v] = _mm512_load_si512(panel.masks[k] + 8 * v);
      }
      for (int c = 0; c < kChannels; ++c) {
        const __m512i w = _mm512_set1_epi64(static_cast<int64_t>(weight[c * weight_stride + k]));
        for (int v = 0; v < kVectors; ++v) {
          __m512i x;
          if constexpr (kMasked) {
            x = _mm512_ternarylogic_epi64(masks[v], words[v], w, 0x60);  // mask & (words ^ w)
          } else {
            x = _mm512_xor_si512(words[v], w);
          }
          sums[c][v] = _mm512_add_epi64(sums[c][v], _mm512_popcnt_epi64(x));
        }
      }
    }
    for (int c = 0; c < kChannels; ++c) {
      for (int v = 0; v < kVectors; ++v) {
        _mm512_mask_cvtepi64_storeu_epi32(mismatches[c] + 8 * v, 0xff, sums[c][v]);
      }
    }
  }
};

}  // namespace

void BinaryConv2dAvx512(const BinaryConv2dArgs& args, int begin, int end) {
  RunBinaryConv2d<Avx512Counter>(args, begin, end);
}

}  // namespace bdc
