#include <arm_neon.h>

#include "kernels/conv-i8-neon.h"
#include "kernels/kernel-list.h"

namespace bdc {
namespace {

/// SDOT: all of it in one instruction, whose lane is part of it.
struct QuadDotProducts {
  static int32x4_t Add(int32x4_t sum, int32x4_t a, int lane, int8x16_t b) {
    const int8x16_t quads = vreinterpretq_s8_s32(a);
    switch (lane) {
      case 0:
        return vdotq_laneq_s32(sum, b, quads, 0);
      case 1:
        return vdotq_laneq_s32(sum, b, quads, 1);
      case 2:
        return vdotq_laneq_s32(sum, b, quads, 2);
      default:
        return vdotq_laneq_s32(sum, b, quads, 3);
    }
  }
};

}  // namespace

const ConvKernel<int32_t> kConvI8NeonDotprod = MakeConvKernel<NeonConvI8<QuadDotProducts>>();

}  // namespace bdc
