#pragma once

#include <algorithm>
#include <cstdint>

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

/// Calls `body(plane)` for each of the `planes` channel planes of `size` values, shared among the threads.
template <typename Body>
void ForEachPlane(const RunContext& context, int64_t planes, int64_t size, const Body& body) {
  context.pool.ParallelFor(0, planes, Grain(size), [&](int64_t begin, int64_t end) {
    for (int64_t plane = begin; plane < end; ++plane) body(plane);
  });
}

/// Calls `body(image, begin, end)` for ranges of rows that never cross an image; `values` a row. The ranges
/// are as long as an even share allows: kernels work on tiles of pixels that run over the ends of rows, not
/// over the ends of ranges.
template <typename Body>
void ForEachImageRow(const RunContext& context, int64_t images, int64_t rows, int64_t values,
                     const Body& body) {
  constexpr int64_t kRangesPerThread = 4;
  const int64_t share = images * rows / (context.pool.size() * kRangesPerThread);
  context.pool.ParallelFor(0, images * rows, std::max(share, Grain(values)), [&](int64_t begin, int64_t end) {
    while (begin < end) {
      const int64_t image = begin / rows, stop = std::min(end, (image + 1) * rows);
      body(image, begin - image * rows, stop - image * rows);
      begin = stop;
    }
  });
}

/// y = f(channel)(x) for each value, f(channel) being made once a plane.
template <typename MakeFunction>
void MapPlanes(const RunContext& context, const Tensor& x, const Tensor& y, const MakeFunction& make) {
  const int64_t size = x.plane();
  ForEachPlane(context, int64_t{x.batch} * x.channels, size, [&](int64_t plane) {
    const auto function = make(plane % x.channels);
    const float* from = x.f32() + x.PlaneStart(plane);
    float* to = y.f32() + y.PlaneStart(plane);
    for (int64_t i = 0; i < size; ++i) to[i] = function(from[i]);
  });
}

}  // namespace bdc
