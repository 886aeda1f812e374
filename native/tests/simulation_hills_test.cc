#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "simulation/labels.h"
#include "simulation/noise.h"
#include "simulation/voxelizer.h"
#include "simulation/world.h"

namespace bdc::simulation {
namespace {

template <typename Height>
Ground HillyGround(Height&& height) {
  Ground ground{};
  ground.seed = 1;
  HeightField& hills = ground.hills;
  hills.side = 33;
  hills.spacing = 4;
  hills.origin_x = hills.origin_y = -64;
  for (int row = 0; row < hills.side; ++row) {
    for (int column = 0; column < hills.side; ++column) {
      hills.heights.push_back(
          height(hills.origin_x + column * hills.spacing, hills.origin_y + row * hills.spacing));
    }
  }
  return ground;
}

Ground Waves() {
  return HillyGround([](float x, float y) { return 1.2F * std::sin(x / 16) + 0.8F * std::cos(y / 13 + 1); });
}

/// Up 6 % along x and down 3 % along y.
float Plane(float x, float y) { return 0.06F * x - 0.03F * y; }

TEST(HillsTest, ARayMeetsTheGroundWhereSmallStepsFindIt) {
  const Ground ground = Waves();
  const World world({}, ground, {});
  constexpr float kFar = 100, kStep = 0.01F;
  int32_t count = 0;
  const auto number = [&](float low, float high) {
    return low + (high - low) * Uniform(Hash(++count, 0, 0, 5));
  };
  int hits = 0;
  for (int i = 0; i < 400; ++i) {
    const float x = number(-40, 40), y = number(-40, 40);
    const Vec3 origin = {x, y, ground.hills.At(x, y) + number(0.4F, 4)};
    const Vec3 direction = Normalized({number(-1, 1), number(-1, 1), number(-0.4F, 0.1F)});
    float expected = kFar;
    for (float t = 0; t < kFar; t += kStep) {
      const Vec3 p = origin + direction * t;
      if (p.z <= ground.hills.At(p.x, p.y)) {
        expected = t;
        break;
      }
    }
    Hit hit{};
    const bool found = world.Cast(origin, direction, kFar, &hit);
    if (!found) {
      EXPECT_EQ(expected, kFar) << "ray " << i;
      continue;
    }
    ++hits;
    EXPECT_EQ(hit.primitive, nullptr);
    // The cast stops 2 mm above the ground; a ray that skims it meets it that much earlier than it crosses
    // it.
    EXPECT_NEAR(hit.point.z, ground.hills.At(hit.point.x, hit.point.y), 3e-3F) << "ray " << i;
    EXPECT_LE(hit.t, expected + 1e-3F) << "ray " << i;
    const float approach = -Dot(direction, ground.hills.Normal(hit.point.x, hit.point.y));
    if (approach > 0.1F) {
      EXPECT_NEAR(hit.t, expected, 0.05F) << "ray " << i;
    }
  }
  EXPECT_GT(hits, 200);
}

TEST(HillsTest, TheNormalIsThatOfAPlane) {
  const Ground ground = HillyGround(Plane);
  const Vec3 expected = Normalized({-0.06F, 0.03F, 1});
  const Vec3 normal = ground.hills.Normal(7.3F, -11.1F);
  for (int axis = 0; axis < 3; ++axis) EXPECT_NEAR(normal[axis], expected[axis], 1e-4F);
  EXPECT_NEAR(ground.hills.SteepestSlope(), std::sqrt(0.06F * 0.06F + 0.03F * 0.03F), 1e-4F);
}

Grid GridAt(const Pose& world_from_ego) {
  Grid grid{};
  grid.world_from_ego = world_from_ego;
  grid.min = {-10, -10, -1};
  grid.cell = {0.4F, 0.4F, 0.4F};
  grid.nx = grid.ny = 50;
  grid.nz = 16;
  return grid;
}

/// Stands on the plane at the origin and lies in it, as a vehicle does.
Pose OnPlane() {
  const Vec3 forward = Normalized({1, 0, 0.06F}), up = Normalized({-0.06F, 0.03F, 1});
  const Vec3 left = {up.y * forward.z - up.z * forward.y, up.z * forward.x - up.x * forward.z,
                     up.x * forward.y - up.y * forward.x};
  return {{{forward.x, left.x, up.x, forward.y, left.y, up.y, forward.z, left.z, up.z}}, {0, 0, 0}};
}

TEST(VoxelizerTest, AVehicleOnASlopeHasItsGroundInOneLayer) {
  const World world({}, HillyGround(Plane), {});
  const Grid grid = GridAt(OnPlane());
  const VoxelTruth truth = Voxelize(world, grid, {}, grid.world_from_ego, {});
  for (int i = 0; i < grid.nx; ++i) {
    for (int j = 0; j < grid.ny; ++j) {
      for (int k = 0; k < grid.nz; ++k) {
        const uint8_t label = truth.semantics[(static_cast<size_t>(i) * grid.ny + j) * grid.nz + k];
        // z = 0 lies in the third layer, −0.2 … 0.2.
        ASSERT_EQ(label, k == 2 ? kTerrain : kFree) << i << ' ' << j << ' ' << k;
      }
    }
  }
}

TEST(VoxelizerTest, OnHillsTheGroundsVoxelsHoldIt) {
  const Ground ground = Waves();
  const World world({}, ground, {});
  Pose pose = OnPlane();
  pose.translation = {3, -5, ground.hills.At(3, -5)};
  const Grid grid = GridAt(pose);
  const VoxelTruth truth = Voxelize(world, grid, {}, grid.world_from_ego, {});
  int columns = 0;
  for (size_t index = 0; index < truth.semantics.size(); ++index) {
    if (truth.semantics[index] == kFree) continue;
    const int k = static_cast<int>(index % grid.nz), j = static_cast<int>(index / grid.nz % grid.ny);
    const int i = static_cast<int>(index / grid.nz / grid.ny);
    const Vec3 center = pose.Apply(
        grid.min + Vec3{(i + 0.5F) * grid.cell.x, (j + 0.5F) * grid.cell.y, (k + 0.5F) * grid.cell.z});
    // Half a voxel's height, and a little for the tilt.
    EXPECT_LT(std::abs(center.z - ground.hills.At(center.x, center.y)), 0.22F);
    ++columns;
  }
  EXPECT_GT(columns, grid.nx * grid.ny * 9 / 10);
}

TEST(CameraTest, CornerRaysOfAnyLensGiveDistancesAlongTheRay) {
  const World world({}, HillyGround([](float, float) { return 0.0F; }), {});
  Camera camera;
  camera.world_from_camera = {{{0, 0, 1, -1, 0, 0, 0, -1, 0}}, {0, 0, 1}};
  camera.width = 2;
  camera.height = 1;
  // The left pixel looks 30° down and backwards, which no pinhole can; right of it the lens sees nothing.
  const float nan = std::numeric_limits<float>::quiet_NaN(), down = 0.5F, back = -std::sqrt(0.75F);
  camera.corner_rays = {0, down, back, 0, down, back, nan, nan, nan,
                        0, down, back, 0, down, back, nan, nan, nan};
  const Image image = Render(world, camera);
  EXPECT_NEAR(image.depth[0], 2, 6e-3F);
  EXPECT_EQ(image.labels[0], kTerrain);
  EXPECT_EQ(image.depth[1], std::numeric_limits<float>::infinity());
  EXPECT_EQ(image.rgb[3] + image.rgb[4] + image.rgb[5], 0);
}

}  // namespace
}  // namespace bdc::simulation
