#pragma once

#include <cstdint>
#include <vector>

#include "kernels/planes.h"
#include "ops/operation_reader.h"

namespace bdc {

/// Where the network's feature cells look, in the base frame (metres).
struct RigRays {
  int cameras, height, width;
  std::vector<float>
      rays;  // [cameras][height][width][3], unit component along the optical axis; NaN: sees nothing
  std::vector<float> origins;  // [cameras][3]
  /// [cameras][kCameraParameters] for networks that use the calibration, else empty.
  std::vector<float> parameters = {};
};

/// Which BEV cell each (camera, depth bin, feature cell) falls into, sorted by cell, so that threads can
/// share the cells and each cell's sum has one fixed order: camera, bin, feature cell.
class Projection {
 public:
  /// Cell of a point, or −1 outside the grid (docs/model-format.md, lift_splat).
  static int64_t CellOf(const GridSpec& grid, const double point[3]);

  Projection(const RigRays& rig, const std::vector<double>& depths, const GridSpec& grid);

  /// Points of BEV cell `cell` = row · nx + column: [Begin(cell), Begin(cell + 1)).
  const SplatPoint* Begin(int64_t cell) const { return points_.data() + begin_[cell]; }
  const RigRays& rig() const { return rig_; }

 private:
  RigRays rig_;
  std::vector<uint32_t> begin_;  // [cells + 1]
  std::vector<SplatPoint> points_;
};

}  // namespace bdc
