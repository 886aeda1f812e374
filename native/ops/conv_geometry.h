#pragma once

#include <cstdint>
#include <utility>

#include "ops/operation_reader.h"

namespace bdc {

/// Sizes of a 2D convolution of one image.
struct ConvGeometry {
  int images;  // of the largest batch
  int in_channels, in_height, in_width;
  int out_channels, out_height, out_width;
  int kernel_h, kernel_w, stride_h, stride_w, pad_h, pad_w;
  /// Distance of neighbouring taps.
  int dilation_h = 1, dilation_w = 1;

  bool operator==(const ConvGeometry&) const = default;
  int64_t Depth() const { return int64_t{in_channels} * kernel_h * kernel_w; }
  int64_t Columns() const { return int64_t{out_height} * out_width; }
  /// Pixels from the first tap to the last.
  int ExtentH() const { return (kernel_h - 1) * dilation_h + 1; }
  int ExtentW() const { return (kernel_w - 1) * dilation_w + 1; }
  int64_t Macs() const { return Depth() * Columns() * out_channels; }
  /// A matrix product as it stands: the output column is the input pixel.
  bool IsPointwise() const {
    return kernel_h == 1 && kernel_w == 1 && stride_h == 1 && stride_w == 1 && pad_h == 0 && pad_w == 0;
  }
};

/// Reads `stride` and `padding`, checks the sizes and adds the output; `dilation`: rows, columns.
ConvGeometry ReadConvGeometry(OperationReader& reader, int64_t out_channels, int64_t kernel_h,
                              int64_t kernel_w, std::pair<int, int> dilation = {1, 1});

}  // namespace bdc
