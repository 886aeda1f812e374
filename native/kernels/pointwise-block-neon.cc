#include <arm_neon.h>

#include "kernels/float-neon.h"
#include "kernels/kernel-list.h"
#include "kernels/pointwise-block-tables.h"

namespace bdc {
namespace {

/// 8 pixels a vector: one load and ADD for 32 multiply-adds.
struct Int16Neon {
  using Vector = int16x8_t;
  using Value = int16_t;
  using Input = int8_t;
  static constexpr int kPixels = 8;
  static Vector Zero() { return vdupq_n_s16(0); }
  static Vector Add(Vector a, Vector b) { return vaddq_s16(a, b); }
  static Vector Sub(Vector a, Vector b) { return vsubq_s16(a, b); }
  static Vector LoadInput(const int8_t* from) { return vmovl_s8(vld1_s8(from)); }
  static void StoreValue(int16_t* to, Vector x) { vst1q_s16(to, x); }
  static void AddToFloat(float* to, Vector x, bool first) {
    float32x4_t low = vcvtq_f32_s32(vmovl_s16(vget_low_s16(x))), high = vcvtq_f32_s32(vmovl_high_s16(x));
    if (!first) {
      low = vaddq_f32(low, vld1q_f32(to));
      high = vaddq_f32(high, vld1q_f32(to + 4));
    }
    vst1q_f32(to, low);
    vst1q_f32(to + 4, high);
  }
};

}  // namespace

void PointwiseBlockNeon(const PointwiseBlockArgs& args, const BlockRange& range, std::byte* scratch) {
  RunPointwiseBlocks<Int16Neon, FloatNeon>(args, range, scratch);
}

int64_t PointwiseBlockScratchNeon(int channels) { return PointwiseBlockScratch<Int16Neon>(channels); }

}  // namespace bdc
