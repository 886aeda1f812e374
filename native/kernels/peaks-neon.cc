#include <arm_neon.h>

#include "kernels/peaks.h"

namespace bdc {
namespace {

// The empty assembly hides from the compiler that an operand stays the same.
int64_t Binary(int64_t rounds) {
  constexpr int kSums = 8;
  uint8x16_t sums[kSums], word = vdupq_n_u8(static_cast<uint8_t>(rounds));
  for (uint8x16_t& sum : sums) sum = vdupq_n_u8(0);
  for (int64_t round = 0; round < rounds; ++round) {
    for (uint8x16_t& sum : sums) {
      asm volatile("" : "+w"(word));
      sum = vaddq_u8(sum, vcntq_u8(veorq_u8(sum, word)));
    }
  }
  for (uint8x16_t& sum : sums) asm volatile("" : "+w"(sum));
  return rounds * kSums * 128;
}

int64_t Real(int64_t rounds) {
  constexpr int kSums = 12;
  float32x4_t sums[kSums];
  const float32x4_t a = vdupq_n_f32(1e-9f);
  for (float32x4_t& sum : sums) sum = vdupq_n_f32(0.0f);
  for (int64_t round = 0; round < rounds; ++round) {
    for (float32x4_t& sum : sums) sum = vfmaq_f32(sum, a, a);
    for (float32x4_t& sum : sums) asm volatile("" : "+w"(sum));
  }
  return rounds * kSums * 4;
}

constexpr PeakLoops kLoops = {Binary, Real};

}  // namespace

const PeakLoops kPeakLoopsNeon = kLoops;

}  // namespace bdc
