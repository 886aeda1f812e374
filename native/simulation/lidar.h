#pragma once

#include <cstdint>
#include <vector>

#include "simulation/world.h"

namespace bdc::simulation {

struct Lidar {
  Pose world_from_lidar;          // nuScenes: x right, y forward, z up
  std::vector<float> directions;  // [rings][columns][3], unit vectors in the lidar frame
  int rings = 0, columns = 0;
  float range = 80;     // metres
  float noise = 0.02F;  // standard deviation of the range, metres
  uint32_t seed = 0;
};

struct LidarScan {
  std::vector<float> points;    // [n][5]: x, y, z (lidar frame), intensity 0…255, ring
  std::vector<uint8_t> labels;  // [n]
  std::vector<int32_t> actors;  // [n], −1: none
};

LidarScan Scan(const World& world, const Lidar& lidar);

}  // namespace bdc::simulation
