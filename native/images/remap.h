#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace bdc {

/// RGB bytes `[height][width][3]` without padding.
struct RgbImage {
  const uint8_t* data;
  int width, height;
};

/// Samples `image` at `count` places, `at` = x, y of each in pixels (pixel centres at whole numbers), between
/// the four nearest pixels (bilinear). Places beyond the border are moved onto it; those that are not finite
/// become `fill`. Writes RGB bytes `[count][3]`.
void Remap(const RgbImage& image, const float* at, size_t count, const std::array<uint8_t, 3>& fill,
           uint8_t* rgb);

}  // namespace bdc
