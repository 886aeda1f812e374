#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "ops/operation.h"

namespace bdc {

/// Values that are worth handing to a thread: about ten microseconds of memory traffic.
inline constexpr int64_t kGrainValues = 16384;

inline int64_t Grain(int64_t values_per_item) {
  return std::max<int64_t>(1, kGrainValues / std::max<int64_t>(1, values_per_item));
}

/// Calls `body(slot, item)` for each of the items; those of one slot, of which there are as many as threads,
/// follow each other, so that a slot may have scratch of its own.
template <typename Body>
void ForEachItem(const RunContext& context, int64_t items, const Body& body) {
  context.pool.ParallelFor(0, items, 1, [&](int64_t slot, int64_t begin, int64_t end) {
    for (int64_t item = begin; item < end; ++item) body(slot, item);
  });
}

/// Calls `body(image, begin, end)`, or `body(thread, image, begin, end)` with the pool's thread, for ranges
/// of rows that never cross an image; `values` a row. The ranges are as long as an even share allows: kernels
/// work on tiles of pixels that run over the ends of rows, not over the ends of ranges.
template <typename Body>
void ForEachImageRow(const RunContext& context, int64_t images, int64_t rows, int64_t values,
                     const Body& body) {
  constexpr int64_t kRangesPerThread = 4;
  const int64_t share = images * rows / (context.pool.size() * kRangesPerThread);
  const int64_t grain = std::max(share, Grain(values));
  context.pool.ParallelFor(0, images * rows, grain, [&](int thread, int64_t begin, int64_t end) {
    while (begin < end) {
      const int64_t image = begin / rows, stop = std::min(end, (image + 1) * rows);
      if constexpr (std::is_invocable_v<Body, int, int64_t, int64_t, int64_t>) {
        body(thread, image, begin - image * rows, stop - image * rows);
      } else {
        body(image, begin - image * rows, stop - image * rows);
      }
      begin = stop;
    }
  });
}

/// Calls `body(image, begin, end)` for runs of pixels of images of `channels` × `size`; whoever gets a run
/// does it in all channels. Block kernels share their work so, and a thread then finds what it wrote.
template <typename Body>
void ForEachPixelRun(const RunContext& context, int64_t images, int64_t channels, int64_t size,
                     const Body& body) {
  constexpr int64_t kPixels = 64;
  const int64_t runs = (size + kPixels - 1) / kPixels;
  ForEachImageRow(context, images, runs, channels * std::min(size, kPixels),
                  [&](int64_t image, int64_t begin, int64_t end) {
                    body(image, begin * kPixels, std::min(end * kPixels, size));
                  });
}

/// Calls `body(plane)` for each of the `planes` channel planes of `size` values, shared among the threads.
template <typename Body>
void ForEachPlane(const RunContext& context, int64_t planes, int64_t size, const Body& body) {
  context.pool.ParallelFor(0, planes, Grain(size), [&](int64_t begin, int64_t end) {
    for (int64_t plane = begin; plane < end; ++plane) body(plane);
  });
}

/// y = f(channel)(x) for each value, f(channel) being made once a run of pixels.
template <typename MakeFunction>
void MapPlanes(const RunContext& context, const Tensor& x, const Tensor& y, const MakeFunction& make) {
  ForEachPixelRun(context, x.batch, x.channels, x.plane(), [&](int64_t image, int64_t begin, int64_t end) {
    for (int64_t channel = 0; channel < x.channels; ++channel) {
      const auto function = make(channel);
      const float* from = x.f32() + image * x.image() + channel * x.plane();
      float* to = y.f32() + image * y.image() + channel * y.plane();
      for (int64_t i = begin; i < end; ++i) to[i] = function(from[i]);
    }
  });
}

}  // namespace bdc
