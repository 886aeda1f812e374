#pragma once

#include <cstdint>

#include "simulation/vec3.h"

namespace bdc::simulation {

enum class Shape : uint8_t { kBox, kEllipsoid, kCylinder };

/// How a surface is painted; src/simulation/primitive.ts lists the same names in the same order.
enum class Texture : uint8_t {
  kPlain,
  kFacade,
  kFoliage,
  kPanels,
  kBands,
  kStripes,
  kVehicleBody,
  kGlass,
  kBark,
  kTyre
};
inline constexpr int kTextures = 10;

struct Material {
  Vec3 color;   // linear RGB, 0…1
  Vec3 accent;  // second colour: windows, bands, stripes
  Texture texture;
  float scale;  // metres per texture period
  uint32_t seed;
};

/// One convex solid. Local frame: centre at the origin, z upwards before it is turned.
struct Primitive {
  Shape shape;
  uint8_t label;  // Occ3D class
  int32_t actor;  // −1: none
  Vec3 center;
  Rotation local_from_world;
  Vec3 half;  // half extents along the local axes
  /// Box and cylinder: the cross-section at the top is (1 − taper) of that at the bottom.
  float taper_x, taper_y;
  Material material;
};

/// Where a ray enters a primitive.
struct Entry {
  float t;
  Vec3 local;         // point in the local frame
  Vec3 local_normal;  // outward, unit length
};

/// First intersection with t in (t_min, t_max); a ray that starts inside has none.
bool Intersect(const Primitive& primitive, Vec3 origin, Vec3 direction, float t_min, float t_max,
               Entry* entry);

/// Whether `point` (world frame) lies in the primitive grown by `margin` metres on each side.
bool Contains(const Primitive& primitive, Vec3 point, Vec3 margin);

/// Half extents of the axis-aligned box round the primitive, world frame.
Vec3 AlignedHalfExtents(const Primitive& primitive);

}  // namespace bdc::simulation
