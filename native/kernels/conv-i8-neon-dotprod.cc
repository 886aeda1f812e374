#include <arm_neon.h>

#include "kernels/conv-i8-neon.h"
#include "kernels/kernel-list.h"

namespace bdc {
namespace {

/// SDOT: all of it in one instruction.
struct QuadDotProducts {
  static int32x4_t Add(int32x4_t sum, int8x16_t a, int8x16_t b) { return vdotq_s32(sum, a, b); }
};

}  // namespace

const ConvKernel<int32_t> kConvI8NeonDotprod = MakeConvKernel<NeonConvI8<QuadDotProducts>>();

}  // namespace bdc
