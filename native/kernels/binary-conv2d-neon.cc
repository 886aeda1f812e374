#include <arm_neon.h>

#include "kernels/binary-conv2d-panel.h"
#include "kernels/kernel-list.h"

namespace bdc {
namespace {

/// EOR + CNT + ADD with byte counters, two pixels a register. Tiles of 4 output channels × 8 pixels: 16 sums,
/// 4 registers of pixels and 1 of weights.
struct NeonCounter {
  static constexpr int kWordsPerByteCounter = 31;  // at most 8 bits each
  static constexpr int kVectors = 4;
  static constexpr int kTileLanes = 2 * kVectors;

  template <bool kMasked>
  static void Count(const Panel& panel, const uint64_t* weight, int64_t weight_stride, int channels,
                    int32_t (*mismatches)[kLanes]) {
    for (int lane = 0; lane < kLanes; lane += kTileLanes) {
      if (channels == kChannelBlock) {
        CountTile<kMasked, kChannelBlock>(panel, lane, weight, weight_stride, mismatches);
        continue;
      }
      for (int c = 0; c < channels; ++c) {
        CountTile<kMasked, 1>(panel, lane, weight + c * weight_stride, weight_stride, mismatches + c);
      }
    }
  }

 private:
  template <bool kMasked, int kChannels>
  static void CountTile(const Panel& panel, int lane, const uint64_t* weight, int64_t weight_stride,
                        int32_t (*mismatches)[kLanes]) {
    uint16x8_t totals[kChannels];  // one 16-bit count a pixel: kPanelWords · 64 < 2^16
    for (int c = 0; c < kChannels; ++c) totals[c] = vdupq_n_u16(0);
    for (int first = 0; first < panel.depth; first += kWordsPerByteCounter) {
      const int rest = panel.depth - first;
      const int last = first + (rest < kWordsPerByteCounter ? rest : kWordsPerByteCounter);
      uint8x16_t bytes[kChannels][kVectors];
      for (int c = 0; c < kChannels; ++c) {
        for (int v = 0; v < kVectors; ++v) bytes[c][v] = vdupq_n_u8(0);
      }
      for (int k = first; k < last; ++k) {
        uint64x2_t words[kVectors];
        for (int v = 0; v < kVectors; ++v) words[v] = vld1q_u64(panel.words[k] + lane + 2 * v);
        for (int c = 0; c < kChannels; ++c) {
          const uint64x2_t w = vdupq_n_u64(weight[c * weight_stride + k]);
          for (int v = 0; v < kVectors; ++v) {
            uint64x2_t x = veorq_u64(words[v], w);
            if constexpr (kMasked) x = vandq_u64(x, vld1q_u64(panel.masks[k] + lane + 2 * v));
            bytes[c][v] = vaddq_u8(bytes[c][v], vcntq_u8(vreinterpretq_u8_u64(x)));
          }
        }
      }
      for (int c = 0; c < kChannels; ++c) {
        // Eight bytes a pixel → four → two → one sum, pixels staying in order.
        const uint16x8_t low = vpaddq_u16(vpaddlq_u8(bytes[c][0]), vpaddlq_u8(bytes[c][1]));
        const uint16x8_t high = vpaddq_u16(vpaddlq_u8(bytes[c][2]), vpaddlq_u8(bytes[c][3]));
        totals[c] = vaddq_u16(totals[c], vpaddq_u16(low, high));
      }
    }
    for (int c = 0; c < kChannels; ++c) {
      vst1q_s32(mismatches[c] + lane, vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(totals[c]))));
      vst1q_s32(mismatches[c] + lane + 4, vreinterpretq_s32_u32(vmovl_high_u16(totals[c])));
    }
  }
};

}  // namespace

void BinaryConv2dNeon(const BinaryConv2dArgs& args, int begin, int end) {
  RunBinaryConv2d<NeonCounter>(args, begin, end);
}

}  // namespace bdc
