// The int8 output of a binary layer as the larger or the smaller of two lines.
//
// RPReLU is two lines that meet where it bends, and a scale, a bias and the factor of an int8 output make two
// others of them. That takes half as many operations as the steps one by one, which round in other places:
// so each channel's lines are compared with the steps for every sum there is, and used where all agree.
#pragma once

#include <vector>

#include "kernels/quantized-value.h"

namespace bdc {

/// q = clamp(round to nearest even(larger or smaller(slope[i] · sum + offset[i])), ±127), each line rounded
/// once.
struct QuantizedLines {
  float slope[2], offset[2];
  bool takes_larger;
  /// Gives what the steps give, for every sum.
  bool is_exact;
};

/// Of each channel of `epilogue`, which IsQuantizedFunction.
std::vector<QuantizedLines> QuantizedLinesOf(const BinaryConvShape& shape, const BlockEpilogue& epilogue);

}  // namespace bdc
