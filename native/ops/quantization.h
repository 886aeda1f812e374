#pragma once

#include "ops/operation_reader.h"

namespace bdc {

/// Attribute `activation_scale`.
float ReadActivationScale(OperationReader& reader);

/// x · factor as one of the 255 steps of an int8 activation; NaN is the lowest, as the kernels' MAXPS makes
/// it.
float Quantized(float x, float factor);

}  // namespace bdc
