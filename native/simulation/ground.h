#pragma once

#include <cstdint>
#include <vector>

#include "simulation/vec3.h"

namespace bdc::simulation {

/// A road along the parabola y = curvature · x² / 2 of its own frame (origin, heading). Metres.
struct Road {
  float origin_x, origin_y, cos, sin;
  float curvature;
  float begin, end;  // x of its own frame
  float half_width;
  float verge, sidewalk;  // widths of the grass strip and of the sidewalk beside it, per side
  float median;           // half width of a kerbed median (other_flat), 0 = none
  float lanes;            // lane marks divide the road into so many lanes
};

/// How a patch is painted; the label decides what it is.
enum class PatchStyle : uint8_t { kPlain, kZebra, kSlabs, kParking };
inline constexpr int kPatchStyles = 4;

/// A rectangle on the ground that overrides what the roads say.
struct Patch {
  float center_x, center_y, cos, sin;
  float half_x, half_y;
  uint8_t label;
  PatchStyle style;
  Vec3 color;  // linear RGB
};

/// Heights on a square grid, bilinear between its points, constant beyond its edges. Metres.
struct HeightField {
  float origin_x = 0, origin_y = 0, spacing = 1;
  int side = 0;                // points per side; 0: the plane z = 0
  std::vector<float> heights;  // [side][side], y before x

  float At(float x, float y) const;
  /// Unit normal from central differences over two cells, so that shading has no creases.
  Vec3 Normal(float x, float y) const;
  /// The steepest rise over run along any direction.
  float SteepestSlope() const;
};

/// Regions draped over the hills.
struct Ground {
  HeightField hills;
  std::vector<Road> roads;
  std::vector<Patch> patches;  // later ones lie on top
  Vec3 asphalt, sidewalk, terrain, mark;
  uint32_t seed;

  /// Occ3D class at (x, y): driveable_surface, other_flat, sidewalk or terrain.
  uint8_t Label(float x, float y) const;
  /// Linear RGB. `footprint`: width in metres that the sample stands for; finer texture fades.
  Vec3 Color(float x, float y, float footprint) const;

 private:
  struct Place;
  Place Locate(float x, float y) const;
};

}  // namespace bdc::simulation
