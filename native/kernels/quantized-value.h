// The int8 output of a binary layer as a function of its sums, which kernels may compute in another way than
// step by step (quantized-table.h, quantized-lines.h).
#pragma once

#include <cstdint>

#include "kernels/binary-block.h"

namespace bdc {

/// Whether int8 values are all that an epilogue gives, and depend on the channel and the sum alone.
bool IsQuantizedFunction(const BlockEpilogue& epilogue);

/// int8 value of a sum, step by step, of an epilogue that IsQuantizedFunction.
int8_t QuantizedValue(const BlockEpilogue& epilogue, int channel, int sum);

}  // namespace bdc
