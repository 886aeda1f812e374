#include <algorithm>

#include "simulation/noise.h"
#include "simulation/shading.h"

namespace bdc::simulation {

namespace {

/// Local coordinates on a face: along it and up it.
struct FaceCoordinates {
  float u, v;
};

FaceCoordinates OnFace(const Hit& hit) {
  if (std::abs(hit.local_normal.z) > 0.7F) return {hit.local.x, hit.local.y};
  return {std::abs(hit.local_normal.x) > std::abs(hit.local_normal.y) ? hit.local.y : hit.local.x,
          hit.local.z};
}

float Grain(const Hit& hit, float frequency, float footprint) {
  const float fade = 1 / (1 + footprint * frequency * footprint * frequency);
  if (fade < 0.03F) return 0;
  const Vec3 p = hit.local * frequency;
  return (ValueNoise3(p.x, p.y, p.z, hit.primitive->material.seed) - 0.5F) * fade;
}

Vec3 Facade(const Hit& hit, float footprint) {
  const Primitive& p = *hit.primitive;
  const Material& material = p.material;
  const Vec3 wall =
      material.color * (1 + 0.25F * Grain(hit, 0.3F, footprint) + 0.3F * Grain(hit, 3, footprint));
  if (std::abs(hit.local_normal.z) > 0.7F) return wall * 0.7F;
  const FaceCoordinates face = OnFace(hit);
  const float height = hit.local.z + p.half.z;
  const float storey = height / 3.2F, bay = face.u / material.scale;
  const int32_t row = FloorInt(storey), column = FloorInt(bay);
  const float up = Fraction(storey), side = Fraction(bay);
  const bool shop = row == 0;
  const bool window = shop ? (up > 0.08F && up < 0.8F && side > 0.08F && side < 0.92F)
                           : (up > 0.3F && up < 0.82F && side > 0.25F && side < 0.75F);
  if (!window) {
    const bool ledge = up < 0.06F;
    return ledge ? wall * 0.75F : wall;
  }
  const float random =
      Uniform(Hash(row, column, static_cast<int32_t>(hit.local_normal.x * 3), material.seed));
  return material.accent * (0.5F + random) + (random > 0.9F ? Vec3{0.25F, 0.2F, 0.12F} : Vec3{});
}

Vec3 VehicleBody(const Hit& hit, float footprint) {
  const Primitive& p = *hit.primitive;
  const float side = hit.local.y / p.half.y, up = hit.local.z / p.half.z;
  if (up < -0.62F) return {0.03F, 0.03F, 0.032F};  // sill and bumper
  if (hit.local_normal.x > 0.7F) {
    if (std::abs(side) > 0.62F && up > 0.05F && up < 0.62F) return {0.85F, 0.85F, 0.78F};
    if (std::abs(side) < 0.5F && up > -0.5F && up < 0.3F) return {0.05F, 0.05F, 0.055F};
  } else if (hit.local_normal.x < -0.7F) {
    if (std::abs(side) > 0.6F && up > 0.0F && up < 0.7F) return {0.62F, 0.03F, 0.02F};
    if (std::abs(side) < 0.28F && up > -0.4F && up < 0.05F) return {0.75F, 0.75F, 0.7F};
  } else if (std::abs(hit.local_normal.y) > 0.7F) {
    const float door = Fraction(hit.local.x / 1.1F + 0.35F);
    if (door < 0.025F) return p.material.color * 0.4F;
  }
  return p.material.color * (1 + 0.1F * Grain(hit, 2, footprint));
}

}  // namespace

Vec3 SurfaceColor(const Hit& hit, float footprint) {
  const Primitive& p = *hit.primitive;
  const Material& material = p.material;
  const FaceCoordinates face = OnFace(hit);
  switch (material.texture) {
    case Texture::kPlain:
      return material.color * (1 + 0.25F * Grain(hit, 1 / material.scale, footprint));
    case Texture::kFacade:
      return Facade(hit, footprint);
    case Texture::kFoliage: {
      const float lumps = Grain(hit, 1 / material.scale, footprint),
                  leaves = Grain(hit, 5 / material.scale, footprint);
      return Mix(material.color, material.accent,
                 std::clamp(0.5F + 1.1F * lumps + 0.9F * leaves, 0.0F, 1.0F));
    }
    case Texture::kPanels:
      return material.color *
             (Fraction(face.u / material.scale) < 0.08F ? 0.65F : 1 + 0.12F * Grain(hit, 1.5F, footprint));
    case Texture::kBands: {
      const float level = Fraction((hit.local.z + p.half.z) / material.scale);
      return level > 0.5F ? material.accent : material.color;
    }
    case Texture::kStripes:
      return Fraction((face.u + face.v) / material.scale) > 0.5F ? material.accent : material.color;
    case Texture::kVehicleBody:
      return VehicleBody(hit, footprint);
    case Texture::kGlass: {
      if (hit.local_normal.z > 0.8F) return material.color;  // the roof
      const float pillar = Fraction(hit.local.x / material.scale + 0.5F);
      const bool frame = std::abs(hit.local_normal.y) > 0.5F && pillar < 0.08F;
      return frame ? material.color : material.accent;
    }
    case Texture::kBark: {
      const float rings = Grain(hit, 3 / material.scale, footprint);
      return material.color * (1 + 0.9F * rings);
    }
    case Texture::kTyre: {
      const float radius = (hit.local.x * hit.local.x + hit.local.y * hit.local.y) / (p.half.x * p.half.x);
      return std::abs(hit.local_normal.z) > 0.7F && radius < 0.4F ? material.accent : material.color;
    }
  }
  return material.color;
}

}  // namespace bdc::simulation
