#include "ops/projection.h"

#include <cmath>

namespace bdc {
namespace {

/// Calls `visit(camera, depth, pixel, cell)` for each point inside the grid, in that order.
template <typename Visit>
void ForEachPoint(const RigRays& rig, const std::vector<double>& depths, const GridSpec& grid,
                  const Visit& visit) {
  const int pixels = rig.height * rig.width;
  for (int camera = 0; camera < rig.cameras; ++camera) {
    const float* origin = &rig.origins[camera * 3];
    for (size_t depth = 0; depth < depths.size(); ++depth) {
      for (int pixel = 0; pixel < pixels; ++pixel) {
        const float* ray = &rig.rays[(static_cast<size_t>(camera) * pixels + pixel) * 3];
        double point[3];
        for (int axis = 0; axis < 3; ++axis) {
          point[axis] = double{origin[axis]} + depths[depth] * double{ray[axis]};
        }
        const int64_t cell = Projection::CellOf(grid, point);
        if (cell >= 0) visit(camera, depth, pixel, cell);
      }
    }
  }
}

}  // namespace

int64_t Projection::CellOf(const GridSpec& grid, const double point[3]) {
  int64_t index[3];
  for (int axis = 0; axis < 3; ++axis) {
    const double size = (grid.max[axis] - grid.min[axis]) / grid.shape[axis];
    const double place = std::floor((point[axis] - grid.min[axis]) / size);
    if (!(place >= 0 && place < grid.shape[axis])) return -1;  // NaN too
    index[axis] = static_cast<int64_t>(place);
  }
  return index[1] * grid.shape[0] + index[0];
}

Projection::Projection(const RigRays& rig, const std::vector<double>& depths, const GridSpec& grid)
    : rig_(rig), begin_(static_cast<size_t>(grid.shape[0]) * grid.shape[1] + 1) {
  // Counting sort: one pass counts, the second places; stable, so the order within a cell is that of the
  // walk.
  ForEachPoint(rig, depths, grid, [&](int, size_t, int, int64_t cell) { ++begin_[cell + 1]; });
  for (size_t cell = 1; cell < begin_.size(); ++cell) begin_[cell] += begin_[cell - 1];
  points_.resize(begin_.back());
  std::vector<uint32_t> next(begin_.begin(), begin_.end() - 1);
  ForEachPoint(rig, depths, grid, [&](int camera, size_t depth, int pixel, int64_t cell) {
    points_[next[cell]++] = {static_cast<uint16_t>(camera), static_cast<uint16_t>(depth),
                             static_cast<uint32_t>(pixel)};
  });
}

}  // namespace bdc
