#pragma once

#include "ops/conv_geometry.h"
#include "ops/planes.h"

namespace bdc {

/// Calls `window(for_each_tap)` for each output pixel in order, and `for_each_tap(body)` calls
/// `body(ky, kx, pixel)` for each tap inside the image, `pixel` being the input's.
template <typename Window>
void ForEachWindow(const ConvGeometry& g, const Window& window) {
  for (int oy = 0; oy < g.out_height; ++oy) {
    for (int ox = 0; ox < g.out_width; ++ox) {
      window([&](const auto& body) {
        for (int ky = 0; ky < g.kernel_h; ++ky) {
          const int iy = oy * g.stride_h - g.pad_h + ky * g.dilation_h;
          if (iy < 0 || iy >= g.in_height) continue;
          for (int kx = 0; kx < g.kernel_w; ++kx) {
            const int ix = ox * g.stride_w - g.pad_w + kx * g.dilation_w;
            if (ix >= 0 && ix < g.in_width) body(ky, kx, int64_t{iy} * g.in_width + ix);
          }
        }
      });
    }
  }
}

/// Σ over the window of `weight(o, i, ky, kx) · x`, in float64; `finish(o, sum)` makes it an output.
template <typename Weight, typename Finish>
void PlainConvolution(const RunContext& context, const ConvGeometry& g, const Tensor& x, const Tensor& y,
                      const Weight& weight, const Finish& finish) {
  ForEachPlane(context, int64_t{y.batch} * y.channels, g.Columns() * g.Depth(), [&](int64_t plane) {
    const int o = static_cast<int>(plane % y.channels);
    const float* image = x.f32() + plane / y.channels * x.image();
    float* out = y.f32() + plane * y.plane();
    ForEachWindow(g, [&](const auto& for_each_tap) {
      double sum = 0;
      for_each_tap([&](int ky, int kx, int64_t pixel) {
        for (int i = 0; i < g.in_channels; ++i) {
          sum += double{weight(o, i, ky, kx)} * image[i * x.plane() + pixel];
        }
      });
      *out++ = finish(o, sum);
    });
  });
}

}  // namespace bdc
