#pragma once

#include <cmath>
#include <cstdint>

namespace bdc {

/// The four pixels around a place in a plane: offsets and weights, both 0 for those outside (PyTorch's
/// grid_sample with padding_mode "zeros").
struct BilinearTaps {
  int32_t offset[4] = {};
  float weight[4] = {};

  /// `column`, `row`: in pixels from the first one's centre; NaN is outside.
  BilinearTaps(double column, double row, int width, int height) {
    // Before a cast that could overflow.
    if (!(column > -1 && column < width && row > -1 && row < height)) return;
    const int left = static_cast<int>(std::floor(column)), top = static_cast<int>(std::floor(row));
    const auto right_share = static_cast<float>(column - left), low_share = static_cast<float>(row - top);
    for (int tap = 0; tap < 4; ++tap) {
      const int x = left + tap % 2, y = top + tap / 2;
      if (x < 0 || x >= width || y < 0 || y >= height) continue;
      offset[tap] = y * width + x;
      weight[tap] = (tap % 2 ? right_share : 1 - right_share) * (tap / 2 ? low_share : 1 - low_share);
    }
  }
};

}  // namespace bdc
