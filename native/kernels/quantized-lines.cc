#include "kernels/quantized-lines.h"

#include <algorithm>
#include <cmath>

namespace bdc {
namespace {

/// Of which no vector of int32 overflows.
constexpr float kMostValue = 1e9f;

QuantizedLines LinesOf(const BlockEpilogue& e, int channel) {
  const RPReLUParameters& a = e.activation;
  const bool bends = a.bias_in != nullptr;
  const double scale = e.scale != nullptr ? e.scale[channel] : 1.0f;
  const double factor = e.quantized_factor, bend = bends ? a.slope[channel] : 1.0f;
  const double before =
      double{e.bias != nullptr ? e.bias[channel] : 0.0f} + (bends ? a.bias_in[channel] : 0.0f);
  const double after = bends ? a.bias_out[channel] : 0.0f;
  QuantizedLines lines{};
  const double bends_by[2] = {1.0, bend};
  for (int i = 0; i < 2; ++i) {
    lines.slope[i] = static_cast<float>(scale * bends_by[i] * factor);
    lines.offset[i] = static_cast<float>((before * bends_by[i] + after) * factor);
  }
  lines.takes_larger = bend <= 1;
  return lines;
}

/// Whether kernels get q of `sum` from the lines.
bool Gives(const QuantizedLines& lines, int sum, int8_t q) {
  const auto x = static_cast<float>(sum);
  const float a = std::fma(lines.slope[0], x, lines.offset[0]),
              b = std::fma(lines.slope[1], x, lines.offset[1]);
  const float y = lines.takes_larger ? std::max(a, b) : std::min(a, b);
  return std::fabs(a) < kMostValue && std::fabs(b) < kMostValue &&
         std::nearbyint(std::clamp(y, -127.0f, 127.0f)) == static_cast<float>(q);
}

}  // namespace

std::vector<QuantizedLines> QuantizedLinesOf(const BinaryConvShape& shape, const BlockEpilogue& epilogue) {
  std::vector<QuantizedLines> all;
  const auto depth = static_cast<int>(shape.Depth());
  // Pixels at the border miss taps, as many as there are channels each.
  const int step = shape.in_channels % 2 == 0 ? 2 : 1;
  for (int channel = 0; channel < shape.out_channels; ++channel) {
    QuantizedLines lines = LinesOf(epilogue, channel);
    lines.is_exact = true;
    for (int sum = -depth; sum <= depth && lines.is_exact; sum += step) {
      lines.is_exact = Gives(lines, sum, QuantizedValue(epilogue, channel, sum));
    }
    all.push_back(lines);
  }
  return all;
}

}  // namespace bdc
