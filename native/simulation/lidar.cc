#include "simulation/lidar.h"

#include <algorithm>

#include "simulation/noise.h"
#include "simulation/shading.h"

namespace bdc::simulation {

LidarScan Scan(const World& world, const Lidar& lidar) {
  LidarScan scan;
  const Vec3 origin = lidar.world_from_lidar.translation;
  for (int ring = 0; ring < lidar.rings; ++ring) {
    for (int column = 0; column < lidar.columns; ++column) {
      const float* d = &lidar.directions[(static_cast<size_t>(ring) * lidar.columns + column) * 3];
      const Vec3 direction = {d[0], d[1], d[2]};
      Hit hit;
      if (!world.Cast(origin, lidar.world_from_lidar.rotation * direction, lidar.range, &hit)) continue;
      const uint32_t random = Hash(ring, column, 0, lidar.seed);
      // Sum of two uniform numbers: variance 1/6.
      const float error = (Uniform(random) + Uniform(Scramble(random)) - 1) * 2.449F * lidar.noise;
      const Vec3 point = direction * std::max(hit.t + error, 0.1F);
      const Vec3 color = hit.primitive != nullptr ? SurfaceColor(hit, 0.05F)
                                                  : world.ground().Color(hit.point.x, hit.point.y, 0.05F);
      const float brightness = (color.x + color.y + color.z) / 3;
      const float intensity = std::clamp(120 * brightness / (1 + hit.t / 30), 0.0F, 255.0F);
      scan.points.insert(scan.points.end(), {point.x, point.y, point.z, intensity, static_cast<float>(ring)});
      scan.labels.push_back(world.LabelOf(hit));
      scan.actors.push_back(hit.primitive != nullptr ? hit.primitive->actor : -1);
    }
  }
  return scan;
}

}  // namespace bdc::simulation
