#include "simulation/ground.h"

#include <algorithm>

#include "simulation/labels.h"
#include "simulation/noise.h"

namespace bdc::simulation {

namespace {

/// 1 where the texture of that period is resolved, 0 where it is far finer than the footprint.
float Detail(float footprint, float period) { return 1 / (1 + (footprint / period) * (footprint / period)); }

bool Between(float value, float low, float high) { return value >= low && value <= high; }

}  // namespace

float HeightField::At(float x, float y) const {
  if (side == 0) return 0;
  const auto last = static_cast<float>(side - 1);
  const float u = std::clamp((x - origin_x) / spacing, 0.0F, last);
  const float v = std::clamp((y - origin_y) / spacing, 0.0F, last);
  const int column = std::min(static_cast<int>(u), side - 2), row = std::min(static_cast<int>(v), side - 2);
  const float* h = &heights[static_cast<size_t>(row) * side + column];
  const float tu = u - static_cast<float>(column), tv = v - static_cast<float>(row);
  const float low = h[0] + (h[1] - h[0]) * tu, high = h[side] + (h[side + 1] - h[side]) * tu;
  return low + (high - low) * tv;
}

Vec3 HeightField::Normal(float x, float y) const {
  if (side == 0) return {0, 0, 1};
  const float dx = (At(x + spacing, y) - At(x - spacing, y)) / (2 * spacing);
  const float dy = (At(x, y + spacing) - At(x, y - spacing)) / (2 * spacing);
  return Normalized({-dx, -dy, 1});
}

float HeightField::SteepestSlope() const {
  float along_x = 0, along_y = 0;
  for (int row = 0; row < side; ++row) {
    for (int column = 0; column < side; ++column) {
      const float* h = &heights[static_cast<size_t>(row) * side + column];
      if (column + 1 < side) along_x = std::max(along_x, std::abs(h[1] - h[0]) / spacing);
      if (row + 1 < side) along_y = std::max(along_y, std::abs(h[side] - h[0]) / spacing);
    }
  }
  return std::sqrt(along_x * along_x + along_y * along_y);
}

/// What lies at a point: its class, and the coordinates that the paint needs.
struct Ground::Place {
  uint8_t label = kTerrain;
  const Road* road = nullptr;
  const Patch* patch = nullptr;
  float along = 0, across = 0;  // of the road or the patch
  bool crossing = false;        // several roads overlap: no marks
};

Ground::Place Ground::Locate(float x, float y) const {
  Place place;
  int rank = 0;  // of the surfaces that roads bring: road 4 > median 3 > sidewalk 2 > verge 1
  for (const Road& road : roads) {
    const float dx = x - road.origin_x, dy = y - road.origin_y;
    const float along = dx * road.cos + dy * road.sin;
    if (!Between(along, road.begin, road.end)) continue;
    const float slope = road.curvature * along;
    const float across = (dy * road.cos - dx * road.sin - slope * along / 2) / std::sqrt(1 + slope * slope);
    const float distance = std::abs(across);
    int found = 0;
    if (distance <= road.half_width) {
      found = distance <= road.median ? 3 : 4;
      if (place.road != nullptr && rank >= 3) place.crossing = true;
    } else if (distance <= road.half_width + road.verge) {
      found = 1;
    } else if (distance <= road.half_width + road.verge + road.sidewalk) {
      found = 2;
    }
    if (found > rank) {
      rank = found;
      constexpr uint8_t kLabels[] = {kTerrain, kTerrain, kSidewalk, kOtherFlat, kDriveableSurface};
      place.label = kLabels[found];
      place.road = &road;
      place.along = along;
      place.across = across;
    }
  }
  for (const Patch& patch : patches) {
    const float dx = x - patch.center_x, dy = y - patch.center_y;
    const float along = dx * patch.cos + dy * patch.sin, across = dy * patch.cos - dx * patch.sin;
    if (std::abs(along) > patch.half_x || std::abs(across) > patch.half_y) continue;
    place.label = patch.label;
    place.patch = &patch;
    place.along = along;
    place.across = across;
  }
  return place;
}

uint8_t Ground::Label(float x, float y) const { return Locate(x, y).label; }

Vec3 Ground::Color(float x, float y, float footprint) const {
  const Place place = Locate(x, y);
  const float coarse = ValueNoise2(x * 0.23F, y * 0.23F, seed) - 0.5F;
  const float fine_share = Detail(footprint, 0.2F);
  const float fine = fine_share < 0.03F ? 0 : (ValueNoise2(x * 5.1F, y * 5.1F, seed + 1) - 0.5F) * fine_share;
  const auto slabs = [&](Vec3 color, float size) {
    const float edge = std::min(Fraction(place.along / size), Fraction(place.across / size)) * size;
    const int32_t column = FloorInt(place.along / size);
    const int32_t row = FloorInt(place.across / size);
    const float tint = 0.85F + 0.3F * Uniform(Hash(column, row, 0, seed));
    const float visible = Detail(footprint, size / 4);
    return color * (edge < 0.05F ? 1 - 0.45F * visible : 1 + (tint - 1) * visible);
  };
  if (place.patch != nullptr) {
    const Patch& patch = *place.patch;
    const Vec3 base = patch.color * (1 + 0.3F * coarse + 0.3F * fine);
    switch (patch.style) {
      case PatchStyle::kPlain:
        return base;
      case PatchStyle::kSlabs:
        return slabs(base, 0.8F);
      case PatchStyle::kZebra:
        return Fraction(place.across) < 0.5F ? mark * (1 + 0.3F * fine) : base;
      case PatchStyle::kParking:
        return Fraction(place.along / 2.6F) < 0.05F ? mark : base;
    }
  }
  switch (place.label) {
    case kDriveableSurface: {
      const Vec3 base = asphalt * (1 + 0.5F * coarse + 0.5F * fine);
      if (place.crossing) return base;
      const Road& road = *place.road;
      const float lane = 2 * (road.half_width - road.median) / road.lanes;
      const float from_edge = road.half_width - std::abs(place.across);
      if (Between(from_edge, 0.2F, 0.35F)) return mark;
      const float in_lane = Fraction((std::abs(place.across) - road.median) / lane + 0.5F) - 0.5F;
      const bool on_line = std::abs(in_lane) * lane < 0.08F && from_edge > lane / 2;
      return on_line && Fraction(place.along / 6) < 0.5F ? mark : base;
    }
    case kOtherFlat:
      return slabs(sidewalk * Vec3{1.0F, 0.78F, 0.62F} * (1 + 0.3F * coarse), 0.5F);
    case kSidewalk: {
      const Road& road = *place.road;
      const bool kerb = std::abs(place.across) < road.half_width + road.verge + 0.2F;
      return kerb ? sidewalk * 1.25F : slabs(sidewalk * (1 + 0.3F * coarse + 0.2F * fine), 1.5F);
    }
    default: {
      const float tufts = (ValueNoise2(x * 1.7F, y * 1.7F, seed + 2) - 0.5F) * Detail(footprint, 0.6F);
      return terrain * (1 + 0.9F * coarse + 0.6F * tufts + 0.7F * fine) +
             Vec3{0.05F, 0.03F, 0.0F} * (coarse + 0.3F);
    }
  }
}

}  // namespace bdc::simulation
