#include "kernels/quantized-value.h"

#include <algorithm>
#include <cmath>

namespace bdc {

bool IsQuantizedFunction(const BlockEpilogue& e) {
  return e.quantized != nullptr && e.stream.data == nullptr && e.signs == nullptr &&
         e.block_sums == nullptr && e.residual.data == nullptr && e.addend.data == nullptr &&
         e.gate == nullptr && e.final_activation.bias_in == nullptr && e.factor == 1.0f;
}

int8_t QuantizedValue(const BlockEpilogue& e, int channel, int sum) {
  const RPReLUParameters& a = e.activation;
  auto y = static_cast<float>(sum);
  if (e.scale != nullptr) y *= e.scale[channel];
  if (e.bias != nullptr) y += e.bias[channel];
  if (a.bias_in != nullptr) {
    y += a.bias_in[channel];
    y = (y > 0 ? y : a.slope[channel] * y) + a.bias_out[channel];
  }
  y *= e.quantized_factor;
  const float above = y > -127.0f ? y : -127.0f;  // NaN too
  return static_cast<int8_t>(std::nearbyint(std::min(above, 127.0f)));
}

}  // namespace bdc
