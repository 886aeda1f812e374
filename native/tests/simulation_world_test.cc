#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <tuple>
#include <vector>

#include "simulation/labels.h"
#include "simulation/noise.h"
#include "simulation/voxelizer.h"
#include "simulation/world.h"

namespace bdc::simulation {
namespace {

constexpr uint8_t kCar = 4;

/// Numbers that look random and are the same in each run.
class Numbers {
 public:
  float Next(float low, float high) { return low + (high - low) * Uniform(Hash(++count_, 0, 0, 77)); }
  Vec3 Point(float reach) { return {Next(-reach, reach), Next(-reach, reach), Next(-reach, reach)}; }

 private:
  int32_t count_ = 0;
};

Primitive MakePrimitive(Shape shape, Vec3 center, Vec3 half, float yaw, float taper) {
  Primitive p{};
  p.shape = shape;
  p.label = kCar;
  p.actor = -1;
  p.center = center;
  p.local_from_world = {{std::cos(yaw), std::sin(yaw), 0, -std::sin(yaw), std::cos(yaw), 0, 0, 0, 1}};
  p.half = half;
  p.taper_x = p.taper_y = taper;
  p.material.scale = 1;
  return p;
}

Ground EmptyGround() {
  Ground ground{};
  ground.seed = 1;
  return ground;
}

/// The first point along the ray that lies inside, found in small steps.
float MarchTo(const Primitive& primitive, Vec3 origin, Vec3 direction, float t_max) {
  for (float t = 0; t < t_max; t += 0.002F) {
    if (Contains(primitive, origin + direction * t, {0, 0, 0})) return t;
  }
  return t_max;
}

class IntersectTest : public testing::TestWithParam<std::tuple<Shape, float>> {};

TEST_P(IntersectTest, EntersWhereTheSolidBegins) {
  const auto [shape, taper] = GetParam();
  Numbers numbers;
  int hits = 0;
  for (int i = 0; i < 300; ++i) {
    const Vec3 half = {numbers.Next(0.3F, 1.5F), numbers.Next(0.3F, 1.5F), numbers.Next(0.3F, 1.5F)};
    const Primitive p = MakePrimitive(shape, numbers.Point(0.5F), half, numbers.Next(-3, 3), taper);
    const Vec3 origin = Normalized(numbers.Point(1)) * 4;
    const Vec3 direction = Normalized(numbers.Point(1) - origin);
    if (Contains(p, origin, {0, 0, 0})) continue;
    Entry entry{};
    const bool hit = Intersect(p, origin, direction, 0, 8, &entry);
    const float expected = MarchTo(p, origin, direction, 8);
    if (!hit) {
      // A chord shorter than a step can be stepped over, or the march may find one that rounding hides.
      EXPECT_GE(expected, 7.99F) << "ray " << i;
      continue;
    }
    ++hits;
    if (expected < 8) {
      EXPECT_NEAR(entry.t, expected, 0.004F) << "ray " << i;
    }
    EXPECT_LT(Dot(p.local_from_world * direction, entry.local_normal), 0) << "ray " << i;
    EXPECT_NEAR(Length(entry.local_normal), 1, 1e-5F);
  }
  EXPECT_GT(hits, 60);
}

INSTANTIATE_TEST_SUITE_P(Shapes, IntersectTest,
                         testing::Values(std::tuple{Shape::kBox, 0.0F}, std::tuple{Shape::kBox, 0.6F},
                                         std::tuple{Shape::kEllipsoid, 0.0F},
                                         std::tuple{Shape::kCylinder, 0.0F},
                                         std::tuple{Shape::kCylinder, 0.9F}));

TEST(WorldTest, FindsTheNearestOfManySolids) {
  Numbers numbers;
  std::vector<Primitive> primitives;
  for (int i = 0; i < 200; ++i) {
    const auto shape = static_cast<Shape>(i % 3);
    const Vec3 center = {numbers.Next(-40, 40), numbers.Next(-40, 40), numbers.Next(0, 4)};
    const Vec3 half = {numbers.Next(0.1F, 6), numbers.Next(0.1F, 6), numbers.Next(0.1F, 3)};
    primitives.push_back(MakePrimitive(shape, center, half, numbers.Next(-3, 3), 0.3F));
  }
  const World world(primitives, EmptyGround(), {});
  for (int i = 0; i < 2000; ++i) {
    const Vec3 origin = {numbers.Next(-50, 50), numbers.Next(-50, 50), numbers.Next(0.5F, 9)};
    const Vec3 direction = Normalized(numbers.Point(1));
    float nearest = 200;
    bool solid = false;
    for (const Primitive& p : primitives) {
      Entry entry{};
      if (Intersect(p, origin, direction, 0, nearest, &entry)) {
        nearest = entry.t;
        solid = true;
      }
    }
    EXPECT_EQ(world.Occluded(origin, direction, 200), solid) << "ray " << i;
    const float ground = direction.z < 0 ? -origin.z / direction.z : 200;
    Hit hit{};
    const bool found = world.Cast(origin, direction, 200, &hit);
    ASSERT_EQ(found, std::min(nearest, ground) < 200) << "ray " << i;
    if (found) {
      EXPECT_NEAR(hit.t, std::min(nearest, ground), 1e-3F) << "ray " << i;
    }
  }
}

TEST(WorldTest, AnEmptyWorldHasOnlyItsGround) {
  const World world({}, EmptyGround(), {});
  Hit hit{};
  ASSERT_TRUE(world.Cast({0, 0, 2}, {0, 0, -1}, 100, &hit));
  EXPECT_FLOAT_EQ(hit.t, 2);
  EXPECT_EQ(world.LabelOf(hit), kTerrain);
  EXPECT_FALSE(world.Cast({0, 0, 2}, {1, 0, 0}, 100, &hit));
}

Grid SmallGrid() {
  Grid grid{};
  grid.world_from_ego = {{{1, 0, 0, 0, 1, 0, 0, 0, 1}}, {0, 0, 0}};
  grid.min = {-4, -4, -1};
  grid.cell = {0.4F, 0.4F, 0.4F};
  grid.nx = grid.ny = 20;
  grid.nz = 16;
  return grid;
}

TEST(VoxelizerTest, AThinSolidIsNeverLost) {
  Numbers numbers;
  for (int i = 0; i < 50; ++i) {
    const Vec3 center = {numbers.Next(-3, 3), numbers.Next(-3, 3), 1};
    const World world({MakePrimitive(Shape::kCylinder, center, {0.04F, 0.04F, 0.9F}, 0, 0)}, EmptyGround(),
                      {});
    const VoxelTruth truth = Voxelize(world, SmallGrid(), {}, SmallGrid().world_from_ego, {});
    int cars = 0;
    for (const uint8_t label : truth.semantics) cars += label == kCar ? 1 : 0;
    EXPECT_GE(cars, 4) << "pole " << i;
    EXPECT_LE(cars, 20) << "pole " << i;
  }
}

TEST(VoxelizerTest, ARaySeesUpToTheWallAndNotBehindIt) {
  const World world({MakePrimitive(Shape::kBox, {2, 0, 1}, {0.4F, 3.9F, 3}, 0, 0)}, EmptyGround(), {});
  Camera camera;
  camera.world_from_camera = {{{0, 0, 1, -1, 0, 0, 0, -1, 0}}, {0, 0, 1}};
  camera.width = camera.height = 41;
  camera.fx = camera.fy = 40;
  camera.cx = camera.cy = 20;
  const Image image = Render(world, camera);
  EXPECT_NEAR(image.depth[20 * 41 + 20], 1.6F, 1e-4F);
  const Grid grid = SmallGrid();
  const VoxelTruth truth = Voxelize(world, grid, {{&camera, image.depth.data()}}, grid.world_from_ego, {});
  const auto at = [&](float x, float y, float z) {
    const int i = static_cast<int>((x + 4) / 0.4F), j = static_cast<int>((y + 4) / 0.4F);
    return (static_cast<size_t>(i) * grid.ny + j) * grid.nz + static_cast<int>((z + 1) / 0.4F);
  };
  EXPECT_EQ(truth.mask_camera[at(1, 0.1F, 1.1F)], 1);
  EXPECT_EQ(truth.semantics[at(1, 0.1F, 1.1F)], kFree);
  EXPECT_EQ(truth.mask_camera[at(1.7F, 0.1F, 1.1F)], 1);
  EXPECT_EQ(truth.semantics[at(1.7F, 0.1F, 1.1F)], kCar);
  EXPECT_EQ(truth.mask_camera[at(3.1F, 0.1F, 1.1F)], 0) << "behind the wall";
  EXPECT_EQ(truth.mask_camera[at(-1, 0.1F, 1.1F)], 0) << "behind the camera";
}

}  // namespace
}  // namespace bdc::simulation
