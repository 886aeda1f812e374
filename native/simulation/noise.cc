#include "simulation/noise.h"

namespace bdc::simulation {

namespace {
float Smooth(float t) { return t * t * (3.0F - 2.0F * t); }
float Lerp(float a, float b, float t) { return a + (b - a) * t; }
}  // namespace

float ValueNoise2(float x, float y, uint32_t seed) {
  const int32_t ix = FloorInt(x), iy = FloorInt(y);
  const float tx = Smooth(x - ix), ty = Smooth(y - iy);
  const auto value = [&](int dx, int dy) { return Uniform(Hash(ix + dx, iy + dy, 0, seed)); };
  return Lerp(Lerp(value(0, 0), value(1, 0), tx), Lerp(value(0, 1), value(1, 1), tx), ty);
}

float ValueNoise3(float x, float y, float z, uint32_t seed) {
  const int32_t ix = FloorInt(x), iy = FloorInt(y), iz = FloorInt(z);
  const float tx = Smooth(x - ix), ty = Smooth(y - iy), tz = Smooth(z - iz);
  const auto plane = [&](int dz) {
    const auto value = [&](int dx, int dy) { return Uniform(Hash(ix + dx, iy + dy, iz + dz, seed)); };
    return Lerp(Lerp(value(0, 0), value(1, 0), tx), Lerp(value(0, 1), value(1, 1), tx), ty);
  };
  return Lerp(plane(0), plane(1), tz);
}

}  // namespace bdc::simulation
