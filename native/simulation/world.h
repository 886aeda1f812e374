#pragma once

#include <cstdint>
#include <vector>

#include "simulation/ground.h"
#include "simulation/primitive.h"

namespace bdc::simulation {

/// Light and air; colours are linear RGB.
struct Environment {
  Vec3 to_sun;  // unit vector
  Vec3 sun_color, ambient, zenith, horizon;
  float haze_distance;  // metres at which half of the light is haze
  float clouds;         // 0 clear … 1 overcast
  float wetness;        // of the ground: 0 dry … 1 puddles
  uint32_t seed;
};

struct Hit {
  float t;
  const Primitive* primitive;  // nullptr: the ground
  Vec3 point, normal;          // world frame
  Vec3 local, local_normal;    // frame of the primitive
};

/// Solids on the ground at one instant, with a grid of square columns that tells a ray which solids it
/// may meet. Immutable, so any number of threads may cast rays.
class World {
 public:
  World(std::vector<Primitive> primitives, Ground ground, Environment environment);

  World(const World&) = delete;
  World& operator=(const World&) = delete;

  const std::vector<Primitive>& primitives() const { return primitives_; }
  const Ground& ground() const { return ground_; }
  const Environment& environment() const { return environment_; }

  /// Nearest hit with t in (0, t_max), in units of |direction|. False: sky.
  bool Cast(Vec3 origin, Vec3 direction, float t_max, Hit* hit) const;
  /// Whether any solid lies on the ray before t_max.
  bool Occluded(Vec3 origin, Vec3 direction, float t_max) const;

  uint8_t LabelOf(const Hit& hit) const {
    return hit.primitive != nullptr ? hit.primitive->label : ground_.Label(hit.point.x, hit.point.y);
  }

 private:
  /// Where the ray meets the ground, in units of |direction|; t_max where it does not before.
  float CastGround(Vec3 origin, Vec3 direction, float t_max) const;

  struct Bounds {
    Vec3 low, high;
  };

  /// Calls visit(primitive) for each primitive whose bounds the ray meets before t_max, column by column,
  /// until it returns true, or visit.DoneBefore(t) does at a column's end.
  template <typename Visitor>
  void Walk(Vec3 origin, Vec3 direction, float t_max, Visitor&& visit) const;

  std::vector<Primitive> primitives_;
  std::vector<Bounds> bounds_;  // of each primitive
  Ground ground_;
  Environment environment_;
  float min_x_ = 0, min_y_ = 0;
  int columns_x_ = 0, columns_y_ = 0;
  std::vector<uint32_t> first_;    // [columns + 1], into members_
  std::vector<uint32_t> members_;  // primitive indices, column after column
  std::vector<float> top_;         // [columns], highest point of the column's solids
  float steepest_ = 0;             // of the ground
  float highest_ = 0;              // of all
};

}  // namespace bdc::simulation
