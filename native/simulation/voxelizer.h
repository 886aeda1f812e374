#pragma once

#include <cstdint>
#include <vector>

#include "simulation/camera.h"
#include "simulation/lidar.h"

namespace bdc::simulation {

/// A grid in the ego frame; voxel (i, j, k) has index (i · ny + j) · nz + k, Occ3D's order. Metres.
struct Grid {
  Pose world_from_ego;
  Vec3 min, cell;
  int nx = 0, ny = 0, nz = 0;
  size_t size() const { return static_cast<size_t>(nx) * ny * nz; }
};

/// A rendered camera: its rays end at its depths.
struct CameraView {
  const Camera* camera;
  const float* depth;  // Image::depth
};

struct VoxelTruth {
  std::vector<uint8_t> semantics;    // [nx][ny][nz], kFree where nothing is
  std::vector<uint8_t> mask_camera;  // 1: a camera ray passed through it or ended in it
  std::vector<uint8_t> mask_lidar;   // the same for the lidar's rays
};

/// Labels each voxel of the grid, then walks the cameras' and the lidar's rays through it. A free voxel in
/// which a camera's ray ends takes the class that the ray hit, so that nothing a camera sees is missing.
VoxelTruth Voxelize(const World& world, const Grid& grid, const std::vector<CameraView>& views,
                    const Pose& world_from_lidar, const LidarScan& scan);

}  // namespace bdc::simulation
