// A tap's weights for NEON's multiply-adds by lane.
#pragma once

#include <arm_neon.h>

#include <cstdint>

namespace bdc {
namespace {

/// Weights of the up to 8 channels of a tile in two vectors: a vector for each would leave too few registers
/// for the sums.
template <typename Word, typename Vector, int kRows>
struct ConvWeightsNeon {
  static_assert(kRows <= 8);
  Vector low, high;  // of channels 0 … 3 and of the last four

  explicit ConvWeightsNeon(const Word* weight) {
    if constexpr (kRows >= 4) {
      low = Load(weight);
      high = Load(weight + kRows - 4);
    } else {
      low = high = Vector{weight[0], weight[kRows > 1 ? 1 : 0], weight[kRows > 2 ? 2 : 0]};
    }
  }

  Vector vector(int row) const { return row < 4 ? low : high; }
  static constexpr int lane(int row) { return row < 4 ? row : row + 4 - kRows; }

 private:
  // Not by memcpy: of a vector copied that way GCC loads each lane alone.
  static float32x4_t Load(const float* from) { return vld1q_f32(from); }
  static int32x4_t Load(const int32_t* from) { return vld1q_s32(from); }
};

}  // namespace
}  // namespace bdc
