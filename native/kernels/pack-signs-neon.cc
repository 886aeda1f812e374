#include <arm_neon.h>

#include "kernels/kernel-list.h"
#include "kernels/pack-signs-strip.h"

namespace bdc {
namespace {

/// Lanes are pixels. SRI shifts a pixel's word right and inserts the new channel's comparison at its top, so
/// that after 32 channels the first is bit 0.
struct NeonPacker {
  static constexpr int kStrip = 16;
  static constexpr int kVectors = kStrip / 4;

  static void PackStrip(const float* input, int64_t plane, const float* threshold, const int8_t* direction,
                        int channels, uint64_t* output, int64_t words) {
    uint32x4_t low[kVectors], high[kVectors];
    PackChannels(input, plane, threshold, direction, 0, channels < 32 ? channels : 32, low);
    PackChannels(input, plane, threshold, direction, 32, channels, high);
    for (int v = 0; v < kVectors; ++v) {
      const uint64x2_t first = vreinterpretq_u64_u32(vzip1q_u32(low[v], high[v]));
      const uint64x2_t second = vreinterpretq_u64_u32(vzip2q_u32(low[v], high[v]));
      output[(4 * v) * words] = vgetq_lane_u64(first, 0);
      output[(4 * v + 1) * words] = vgetq_lane_u64(first, 1);
      output[(4 * v + 2) * words] = vgetq_lane_u64(second, 0);
      output[(4 * v + 3) * words] = vgetq_lane_u64(second, 1);
    }
  }

 private:
  /// Bits of channels [begin, end), at most 32 and perhaps none; the first is bit 0.
  static void PackChannels(const float* input, int64_t plane, const float* threshold, const int8_t* direction,
                           int begin, int end, uint32x4_t* bits) {
    for (int v = 0; v < kVectors; ++v) bits[v] = vdupq_n_u32(0);
    for (int c = begin; c < end; ++c) {
      const uint32x4_t flip = vdupq_n_u32(FlipOf(direction[c]));
      const float32x4_t limit =
          vreinterpretq_f32_u32(veorq_u32(vreinterpretq_u32_f32(vdupq_n_f32(threshold[c])), flip));
      const float* row = input + c * plane;
      for (int v = 0; v < kVectors; ++v) {
        const uint32x4_t x = veorq_u32(vreinterpretq_u32_f32(vld1q_f32(row + 4 * v)), flip);
        bits[v] = vsriq_n_u32(vcgeq_f32(vreinterpretq_f32_u32(x), limit), bits[v], 1);
      }
    }
    const int32x4_t missing = vdupq_n_s32(begin < end ? end - begin - 32 : 0);
    for (int v = 0; v < kVectors; ++v) bits[v] = vshlq_u32(bits[v], missing);
  }
};

}  // namespace

void PackSignsNeon(const PackSignsArgs& args, int begin, int end) {
  RunPackSigns<NeonPacker>(args, begin, end);
}

}  // namespace bdc
