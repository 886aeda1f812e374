#include "ops/quantization.h"

#include <cmath>
#include <string>

namespace bdc {

float ReadActivationScale(OperationReader& reader) {
  const double scale = reader.Number("activation_scale");
  // Its reciprocal, and their products with ordinary scales, must be ordinary floats too.
  if (!(scale >= 1e-18 && scale <= 1e18)) {
    reader.Fail("MODEL_ATTRIBUTE", "attributes.activation_scale", "a number in 1e-18…1e18",
                std::to_string(scale));
  }
  return static_cast<float>(scale);
}

float Quantized(float x, float factor) {
  const float scaled = x * factor;
  const float above = scaled > -127.0f ? scaled : -127.0f;
  return std::nearbyintf(above < 127.0f ? above : 127.0f);
}

}  // namespace bdc
