#include "simulation/shading.h"

#include <algorithm>

#include "simulation/noise.h"

namespace bdc::simulation {

namespace {

constexpr float kShadowReach = 60;  // metres
constexpr float kSurfaceGap = 0.01F;

}  // namespace

Vec3 SkyColor(const Environment& environment, Vec3 direction) {
  const float up = std::max(direction.z, 0.0F);
  const float falloff = 1 / (1 + 5 * up);
  Vec3 color = Mix(environment.zenith, environment.horizon, falloff);
  if (up > 0.02F) {
    const float reach = 1 / (up + 0.15F);
    const float u = direction.x * reach, v = direction.y * reach;
    const float cover = 0.6F * ValueNoise2(u * 1.3F, v * 1.3F, environment.seed) +
                        0.4F * ValueNoise2(u * 3.7F, v * 3.7F, environment.seed + 1) + environment.clouds -
                        0.75F;
    const Vec3 cloud = environment.ambient * 1.3F + environment.sun_color * 0.25F;
    color = Mix(color, cloud, std::clamp(cover * 3, 0.0F, 0.9F));
  }
  const float glow = std::max(Dot(direction, environment.to_sun), 0.0F);
  const float glow4 = glow * glow * glow * glow;
  return color + environment.sun_color * (0.12F * glow4 * glow4);
}

Vec3 Radiance(const World& world, Vec3 direction, const Hit* end, float pixel_angle) {
  const Environment& environment = world.environment();
  const float length = Length(direction);
  if (end == nullptr) return SkyColor(environment, direction * (1 / length));
  const Hit& hit = *end;
  const float distance = hit.t * length;
  const float footprint = distance * pixel_angle;
  Vec3 normal = hit.normal;
  Vec3 color;
  if (hit.primitive == nullptr) {
    // Seen at a grazing angle a pixel covers much more ground than it is wide.
    const float stretch = length / std::max(std::abs(Dot(direction, normal)), 1e-3F);
    color = world.ground().Color(hit.point.x, hit.point.y, footprint * std::min(stretch, 12.0F));
    if (environment.wetness > 0) {
      // Water darkens what it soaks and mirrors the sky, most at grazing angles and in puddles.
      const float puddle = ValueNoise2(hit.point.x * 0.35F, hit.point.y * 0.35F, environment.seed + 7);
      const float wet = environment.wetness * (0.4F + 0.6F * puddle);
      const Vec3 unit = direction * (1 / length);
      const Vec3 mirrored = unit - normal * (2 * Dot(unit, normal));
      const float grazing = 1 + Dot(unit, normal);
      color = Mix(color * (1 - 0.45F * wet), SkyColor(environment, mirrored) * 0.7F,
                  wet * (0.03F + 0.5F * grazing * grazing * grazing));
    }
  } else {
    color = SurfaceColor(hit, footprint);
    const Texture texture = hit.primitive->material.texture;
    if (texture == Texture::kFoliage) {  // leaves point everywhere
      const Vec3 p = hit.local * (4 / hit.primitive->material.scale);
      const uint32_t seed = hit.primitive->material.seed;
      const Vec3 bump = {ValueNoise3(p.x, p.y, p.z, seed + 3) - 0.5F,
                         ValueNoise3(p.x, p.y, p.z, seed + 4) - 0.5F,
                         ValueNoise3(p.x, p.y, p.z, seed + 5) - 0.5F};
      normal = Normalized(normal + bump * 1.4F);
    } else if (texture == Texture::kGlass || texture == Texture::kVehicleBody) {
      const Vec3 unit = direction * (1 / length);
      const Vec3 mirrored = unit - normal * (2 * Dot(unit, normal));
      const float grazing = 1 + Dot(unit, normal);
      const float share = (texture == Texture::kGlass ? 0.12F : 0.04F) + 0.5F * grazing * grazing * grazing;
      if (mirrored.z > 0) color = Mix(color, SkyColor(environment, mirrored) * 0.8F, share);
    }
  }
  const float facing = Dot(normal, environment.to_sun);
  float sun = 0;
  if (facing > 0) {
    const Vec3 start = hit.point + hit.normal * kSurfaceGap;
    sun = world.Occluded(start, environment.to_sun, kShadowReach) ? 0 : facing;
  }
  const float upward = 0.5F + 0.5F * normal.z;
  const Vec3 bounce = environment.ambient * Vec3{0.45F, 0.42F, 0.38F};
  const Vec3 light = Mix(bounce, environment.ambient, upward) + environment.sun_color * sun;
  const float ratio = distance / environment.haze_distance;
  const float haze = ratio * ratio / (1 + ratio * ratio);
  return Mix(color * light, environment.horizon, haze);
}

}  // namespace bdc::simulation
