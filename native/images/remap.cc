#include "images/remap.h"

#include <algorithm>
#include <cmath>

namespace bdc {
namespace {

/// Weights in 256ths: their rounding is below a grey level.
constexpr int kShift = 8, kOne = 1 << kShift;

/// A coordinate on a side of `length` pixels: the pixel before it, that after, and the weight of the latter.
struct Tap {
  int low, high, weight;
};

Tap TapAt(float coordinate, int length) {
  const float inside = std::clamp(coordinate, 0.0f, static_cast<float>(length - 1));
  const int low = static_cast<int>(inside);
  return {low, std::min(low + 1, length - 1), static_cast<int>((inside - low) * kOne + 0.5f)};
}

}  // namespace

void Remap(const RgbImage& image, const float* at, size_t count, const std::array<uint8_t, 3>& fill,
           uint8_t* rgb) {
  for (size_t i = 0; i < count; ++i, at += 2, rgb += 3) {
    if (!std::isfinite(at[0]) || !std::isfinite(at[1])) {
      std::copy(fill.begin(), fill.end(), rgb);
      continue;
    }
    const Tap x = TapAt(at[0], image.width), y = TapAt(at[1], image.height);
    const auto pixel = [&](int column, int row) {
      return image.data + (static_cast<size_t>(row) * image.width + column) * 3;
    };
    const uint8_t *top_left = pixel(x.low, y.low), *top_right = pixel(x.high, y.low);
    const uint8_t *bottom_left = pixel(x.low, y.high), *bottom_right = pixel(x.high, y.high);
    for (int c = 0; c < 3; ++c) {
      const int top = top_left[c] * (kOne - x.weight) + top_right[c] * x.weight;
      const int bottom = bottom_left[c] * (kOne - x.weight) + bottom_right[c] * x.weight;
      const int sum = top * (kOne - y.weight) + bottom * y.weight;
      rgb[c] = static_cast<uint8_t>((sum + (1 << (2 * kShift - 1))) >> (2 * kShift));
    }
  }
}

}  // namespace bdc
