#include "simulation/camera.h"

#include <algorithm>
#include <limits>

#include "simulation/labels.h"
#include "simulation/noise.h"
#include "simulation/shading.h"

namespace bdc::simulation {

namespace {

/// Nearly normal (the sum of four uniform numbers), mean 0, deviation 1; needs no library function, so it is
/// equal on every machine.
float Gaussian(int32_t x, int32_t y, int32_t channel, uint32_t seed) {
  const uint32_t h = Hash(x, y, channel, seed);
  const uint32_t g = Scramble(h + 0x9e3779b9U);
  const float sum = static_cast<float>(h & 0xffff) + static_cast<float>(h >> 16) +
                    static_cast<float>(g & 0xffff) + static_cast<float>(g >> 16);
  return (sum / 65536.0F - 2.0F) * 1.7320508F;
}

/// Filmic shoulder, then a square root for gamma 2; 0…1.
float ToneMap(float linear) {
  const float x = std::max(linear, 0.0F);
  return std::sqrt(x * (1 + x * 0.16F) / (1 + x));
}

/// The light of a pixel after a 3 × 3 binomial blur whose weight beside the middle is blur / 3 per axis.
Vec3 Blurred(const std::vector<Vec3>& light, const Camera& camera, int row, int column) {
  const float side = camera.sensor.blur / 3;
  if (side == 0) return light[static_cast<size_t>(row) * camera.width + column];
  Vec3 sum;
  for (int dv = -1; dv <= 1; ++dv) {
    for (int du = -1; du <= 1; ++du) {
      const float weight = (dv == 0 ? 1 - 2 * side : side) * (du == 0 ? 1 - 2 * side : side);
      const int v = std::clamp(row + dv, 0, camera.height - 1),
                u = std::clamp(column + du, 0, camera.width - 1);
      sum = sum + light[static_cast<size_t>(v) * camera.width + u] * weight;
    }
  }
  return sum;
}

}  // namespace

Vec3 Camera::Ray(float column, float row) const {
  if (corner_rays.empty()) return {(column - cx) / fx, (row - cy) / fy, 1};
  const float u = std::clamp(column + 0.5F, 0.0F, static_cast<float>(width));
  const float v = std::clamp(row + 0.5F, 0.0F, static_cast<float>(height));
  const int iu = std::min(static_cast<int>(u), width - 1), iv = std::min(static_cast<int>(v), height - 1);
  const auto corner = [&](int dv, int du) {
    const float* ray = &corner_rays[(static_cast<size_t>(iv + dv) * (width + 1) + iu + du) * 3];
    return Vec3{ray[0], ray[1], ray[2]};
  };
  const float tu = u - iu, tv = v - iv;
  return Normalized(Mix(Mix(corner(0, 0), corner(0, 1), tu), Mix(corner(1, 0), corner(1, 1), tu), tv));
}

Image Render(const World& world, const Camera& camera) {
  const size_t pixels = static_cast<size_t>(camera.width) * camera.height;
  Image image;
  image.rgb.resize(pixels * 3);
  image.depth.assign(pixels, std::numeric_limits<float>::infinity());
  image.labels.assign(pixels, kFree);
  image.actors.assign(pixels, -1);
  std::vector<Vec3> exposed(pixels);
  const Sensor& sensor = camera.sensor;
  const Vec3 origin = camera.world_from_camera.translation;
  const float pixel_angle = Length(camera.Ray(camera.width / 2.0F + 1, camera.height / 2.0F) -
                                   camera.Ray(camera.width / 2.0F, camera.height / 2.0F));
  const float half_diagonal2 =
      (static_cast<float>(camera.width) * camera.width + static_cast<float>(camera.height) * camera.height) /
      4;

  for (int row = 0; row < camera.height; ++row) {
    for (int column = 0; column < camera.width; ++column) {
      const size_t pixel = static_cast<size_t>(row) * camera.width + column;
      Vec3 sum;
      for (int sample = 0; sample < camera.samples_per_pixel; ++sample) {
        // The first ray is the pixel's centre, which depth and label are of; the others lie anywhere in the
        // pixel.
        const uint32_t h = Hash(column, row, sample, sensor.seed);
        const float du = sample == 0 ? 0 : Uniform(h) - 0.5F,
                    dv = sample == 0 ? 0 : Uniform(Scramble(h)) - 0.5F;
        const Vec3 ray = camera.world_from_camera.rotation * camera.Ray(column + du, row + dv);
        if (std::isnan(ray.x)) continue;
        Hit hit;
        const bool solid = world.Cast(origin, ray, kFarAway, &hit);
        if (solid && sample == 0) {
          image.depth[pixel] = hit.t;
          image.labels[pixel] = world.LabelOf(hit);
          if (hit.primitive != nullptr) image.actors[pixel] = hit.primitive->actor;
        }
        const Vec3 light = Radiance(world, ray, solid ? &hit : nullptr, pixel_angle);
        // Bounded, so that one glint does not make a pixel white.
        sum = sum + Vec3{std::min(light.x, 4.0F), std::min(light.y, 4.0F), std::min(light.z, 4.0F)};
      }
      const float dx = column + 0.5F - camera.width / 2.0F, dy = row + 0.5F - camera.height / 2.0F;
      const float shade = 1 - sensor.vignette * (dx * dx + dy * dy) / half_diagonal2;
      exposed[pixel] = sum * (sensor.exposure * shade / camera.samples_per_pixel) * sensor.white_balance;
    }
  }
  for (int row = 0; row < camera.height; ++row) {
    for (int column = 0; column < camera.width; ++column) {
      const size_t pixel = static_cast<size_t>(row) * camera.width + column;
      const Vec3 light = Blurred(exposed, camera, row, column);
      for (int channel = 0; channel < 3; ++channel) {
        const float value =
            ToneMap(light[channel]) + sensor.noise * Gaussian(column, row, channel, sensor.seed);
        image.rgb[pixel * 3 + channel] = static_cast<uint8_t>(std::clamp(value, 0.0F, 1.0F) * 255 + 0.5F);
      }
    }
  }
  return image;
}

}  // namespace bdc::simulation
