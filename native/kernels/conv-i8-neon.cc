#include "kernels/conv-i8-neon.h"

#include <arm_neon.h>

#include "kernels/kernel-list.h"

namespace bdc {
namespace {

/// SMULL twice, then pairs of products, at most 2 · 127² in 16 bits, and pairs of those.
struct QuadProducts {
  static int32x4_t Add(int32x4_t sum, int32x4_t a, int lane, int8x16_t b) {
    const int8x16_t quads = vreinterpretq_s8_s32(vdupq_n_s32(a[lane]));
    const int16x8_t low = vmull_s8(vget_low_s8(quads), vget_low_s8(b));
    const int16x8_t high = vmull_high_s8(quads, b);
    return vpadalq_s16(sum, vpaddq_s16(low, high));
  }
};

}  // namespace

const ConvKernel<int32_t> kConvI8Neon = MakeConvKernel<NeonConvI8<QuadProducts>>();

}  // namespace bdc
