#include "simulation/voxelizer.h"

#include <algorithm>
#include <limits>

#include "simulation/labels.h"

namespace bdc::simulation {

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Which class wins where two solids share a voxel: small things before large ones, everything before the
/// ground.
int Rank(uint8_t label) {
  switch (label) {
    case 8:
      return 9;  // traffic_cone
    case 7:
      return 8;  // pedestrian
    case 2:
    case 6:
      return 7;  // bicycle, motorcycle
    case 1:
      return 6;  // barrier
    case 3:
    case 4:
    case 5:
    case 9:
    case 10:
      return 5;  // vehicles
    case 0:
      return 4;  // others
    case 15:
      return 3;  // manmade
    case 16:
      return 2;  // vegetation
    case kFree:
      return 0;
    default:
      return 1;  // ground
  }
}

class Voxelizer {
 public:
  Voxelizer(const World& world, const Grid& grid) : world_(world), grid_(grid) {
    truth_.semantics.assign(grid.size(), kFree);
    truth_.mask_camera.assign(grid.size(), 0);
    truth_.mask_lidar.assign(grid.size(), 0);
  }

  void LabelGround();
  void LabelSolid(const Primitive& primitive);
  /// Marks the voxels between two points of the world in `mask`; returns the index of the last one, or −1 if
  /// that is outside.
  int64_t MarkRay(Vec3 from, Vec3 to, std::vector<uint8_t>* mask) const;
  void MarkCamera(const CameraView& view);
  void MarkLidar(const Pose& world_from_lidar, const LidarScan& scan);

  VoxelTruth Take() { return std::move(truth_); }

 private:
  size_t Index(int i, int j, int k) const { return (static_cast<size_t>(i) * grid_.ny + j) * grid_.nz + k; }
  Vec3 CellOf(Vec3 world_point) const {
    const Vec3 p = grid_.world_from_ego.ApplyInverse(world_point) - grid_.min;
    return {p.x / grid_.cell.x, p.y / grid_.cell.y, p.z / grid_.cell.z};
  }
  Vec3 Center(int i, int j, int k) const {
    return grid_.world_from_ego.Apply(
        grid_.min + Vec3{(i + 0.5F) * grid_.cell.x, (j + 0.5F) * grid_.cell.y, (k + 0.5F) * grid_.cell.z});
  }

  const World& world_;
  const Grid& grid_;
  VoxelTruth truth_;
};

void Voxelizer::LabelGround() {
  for (int i = 0; i < grid_.nx; ++i) {
    for (int j = 0; j < grid_.ny; ++j) {
      // The ego frame tilts, so a column is not vertical: its foot is found by two refinements.
      Vec3 center = Center(i, j, 0);
      float layer = 0;
      for (int refinement = 0; refinement < 3; ++refinement) {
        layer = CellOf({center.x, center.y, world_.ground().hills.At(center.x, center.y)}).z;
        center = grid_.world_from_ego.Apply(
            grid_.min + Vec3{(i + 0.5F) * grid_.cell.x, (j + 0.5F) * grid_.cell.y, layer * grid_.cell.z});
      }
      if (layer < 0 || layer >= grid_.nz) continue;
      truth_.semantics[Index(i, j, static_cast<int>(layer))] = world_.ground().Label(center.x, center.y);
    }
  }
}

void Voxelizer::LabelSolid(const Primitive& primitive) {
  // A solid thinner than a voxel's diagonal could miss every centre: it is grown until it cannot. Others grow
  // by a quarter voxel, so that their surfaces lie in labelled voxels.
  const float least = 0.71F * std::max(grid_.cell.x, grid_.cell.y), usual = 0.25F * grid_.cell.x;
  const auto margin = [&](float half) { return std::max(usual, least - half); };
  const Vec3 grown = {margin(primitive.half.x), margin(primitive.half.y), margin(primitive.half.z)};

  Primitive bounds = primitive;
  bounds.half = primitive.half + grown;
  const Vec3 extent = AlignedHalfExtents(bounds);
  Vec3 low = {kInfinity, kInfinity, kInfinity}, high = low * -1;
  for (int corner = 0; corner < 8; ++corner) {
    const Vec3 offset = {corner & 1 ? extent.x : -extent.x, corner & 2 ? extent.y : -extent.y,
                         corner & 4 ? extent.z : -extent.z};
    const Vec3 cell = CellOf(primitive.center + offset);
    for (int axis = 0; axis < 3; ++axis) {
      low[axis] = std::min(low[axis], cell[axis]);
      high[axis] = std::max(high[axis], cell[axis]);
    }
  }
  const int shape[3] = {grid_.nx, grid_.ny, grid_.nz};
  int begin[3], end[3];
  for (int axis = 0; axis < 3; ++axis) {
    begin[axis] = static_cast<int>(std::clamp(std::floor(low[axis]), 0.0F, static_cast<float>(shape[axis])));
    end[axis] = static_cast<int>(std::clamp(std::ceil(high[axis]), 0.0F, static_cast<float>(shape[axis])));
  }
  for (int i = begin[0]; i < end[0]; ++i) {
    for (int j = begin[1]; j < end[1]; ++j) {
      for (int k = begin[2]; k < end[2]; ++k) {
        const Vec3 center = Center(i, j, k);
        // The layer that holds the ground stays ground.
        if (center.z - world_.ground().hills.At(center.x, center.y) < grid_.cell.z / 2) continue;
        uint8_t& label = truth_.semantics[Index(i, j, k)];
        if (Rank(primitive.label) > Rank(label) && Contains(primitive, center, grown))
          label = primitive.label;
      }
    }
  }
}

int64_t Voxelizer::MarkRay(Vec3 from, Vec3 to, std::vector<uint8_t>* mask) const {
  const Vec3 start = CellOf(from), goal = CellOf(to);
  const Vec3 direction = goal - start;
  const int shape[3] = {grid_.nx, grid_.ny, grid_.nz};
  float t_enter = 0, t_leave = 1;
  for (int axis = 0; axis < 3; ++axis) {
    if (direction[axis] == 0) {
      if (start[axis] < 0 || start[axis] >= shape[axis]) return -1;
      continue;
    }
    const float a = -start[axis] / direction[axis], b = (shape[axis] - start[axis]) / direction[axis];
    t_enter = std::max(t_enter, std::min(a, b));
    t_leave = std::min(t_leave, std::max(a, b));
  }
  if (t_enter >= t_leave) return -1;
  int cell[3], step[3];
  float next[3], delta[3];
  for (int axis = 0; axis < 3; ++axis) {
    const float at = start[axis] + direction[axis] * t_enter;
    cell[axis] = std::clamp(static_cast<int>(std::floor(at)), 0, shape[axis] - 1);
    step[axis] = direction[axis] > 0 ? 1 : -1;
    if (direction[axis] == 0) {
      next[axis] = delta[axis] = kInfinity;
    } else {
      next[axis] = (cell[axis] + (step[axis] > 0 ? 1 : 0) - start[axis]) / direction[axis];
      delta[axis] = 1 / std::abs(direction[axis]);
    }
  }
  for (;;) {
    const size_t index = Index(cell[0], cell[1], cell[2]);
    (*mask)[index] = 1;
    const int axis = next[0] < next[1] ? (next[0] < next[2] ? 0 : 2) : (next[1] < next[2] ? 1 : 2);
    if (next[axis] > 1) return static_cast<int64_t>(index);
    cell[axis] += step[axis];
    if (cell[axis] < 0 || cell[axis] >= shape[axis]) return -1;
    next[axis] += delta[axis];
  }
}

void Voxelizer::MarkCamera(const CameraView& view) {
  const Camera& camera = *view.camera;
  const Pose& pose = camera.world_from_camera;
  const Vec3 origin = pose.translation;
  // Rays denser than the voxels at the grid's far edge add nothing.
  const float reach = grid_.nx * grid_.cell.x / 2;
  const float pixel = Length(camera.Ray(camera.width / 2.0F + 1, camera.height / 2.0F) -
                             camera.Ray(camera.width / 2.0F, camera.height / 2.0F));
  const int stride = std::max(1, static_cast<int>(0.8F * grid_.cell.x / (pixel * reach)));
  // A little deeper than the surface, to land in the voxel behind it rather than on its border.
  constexpr float kInside = 0.02F;
  for (int row = 0; row < camera.height; row += stride) {
    for (int column = 0; column < camera.width; column += stride) {
      const Vec3 ray = pose.rotation * camera.Ray(column, row);
      if (std::isnan(ray.x)) continue;
      const float depth = view.depth[static_cast<size_t>(row) * camera.width + column];
      const float t = std::min(depth, 4 * reach) + kInside;
      const Vec3 end = origin + ray * t;
      const int64_t last = MarkRay(origin, end, &truth_.mask_camera);
      if (last < 0 || depth > 4 * reach || truth_.semantics[last] != kFree) continue;
      Hit hit;
      if (world_.Cast(origin, ray, depth + kInside, &hit)) truth_.semantics[last] = world_.LabelOf(hit);
    }
  }
}

void Voxelizer::MarkLidar(const Pose& world_from_lidar, const LidarScan& scan) {
  for (size_t p = 0; p < scan.labels.size(); ++p) {
    const float* point = &scan.points[p * 5];
    MarkRay(world_from_lidar.translation, world_from_lidar.Apply({point[0], point[1], point[2]}),
            &truth_.mask_lidar);
  }
}

}  // namespace

VoxelTruth Voxelize(const World& world, const Grid& grid, const std::vector<CameraView>& views,
                    const Pose& world_from_lidar, const LidarScan& scan) {
  Voxelizer voxelizer(world, grid);
  voxelizer.LabelGround();
  for (const Primitive& primitive : world.primitives()) voxelizer.LabelSolid(primitive);
  for (const CameraView& view : views) voxelizer.MarkCamera(view);
  voxelizer.MarkLidar(world_from_lidar, scan);
  return voxelizer.Take();
}

}  // namespace bdc::simulation
