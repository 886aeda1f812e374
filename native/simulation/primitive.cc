#include "simulation/primitive.h"

#include <algorithm>
#include <limits>

namespace bdc::simulation {

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// The stretch of a ray inside a solid, and the normal where it enters.
struct Span {
  float enter, leave;
  Vec3 normal;
};

/// Cuts the span by the half space normal · p <= offset. False when nothing is left.
bool Clip(Vec3 origin, Vec3 direction, Vec3 normal, float offset, Span* span) {
  const float approach = Dot(normal, direction);
  const float outside = Dot(normal, origin) - offset;
  if (approach == 0) return outside <= 0;
  const float t = -outside / approach;
  if (approach < 0) {
    if (t > span->enter) {
      span->enter = t;
      span->normal = normal;
    }
  } else {
    span->leave = std::min(span->leave, t);
  }
  return span->enter < span->leave;
}

bool BoxSpan(const Primitive& p, Vec3 o, Vec3 d, Span* span) {
  const float ax = p.half.x * p.taper_x / (2 * p.half.z), bx = p.half.x * (1 - p.taper_x / 2);
  const float ay = p.half.y * p.taper_y / (2 * p.half.z), by = p.half.y * (1 - p.taper_y / 2);
  return Clip(o, d, {0, 0, 1}, p.half.z, span) && Clip(o, d, {0, 0, -1}, p.half.z, span) &&
         Clip(o, d, {1, 0, ax}, bx, span) && Clip(o, d, {-1, 0, ax}, bx, span) &&
         Clip(o, d, {0, 1, ay}, by, span) && Clip(o, d, {0, -1, ay}, by, span);
}

bool EllipsoidSpan(const Primitive& p, Vec3 o, Vec3 d, Span* span) {
  const Vec3 so = {o.x / p.half.x, o.y / p.half.y, o.z / p.half.z};
  const Vec3 sd = {d.x / p.half.x, d.y / p.half.y, d.z / p.half.z};
  const float a = Dot(sd, sd), b = Dot(so, sd), c = Dot(so, so) - 1;
  const float discriminant = b * b - a * c;
  if (discriminant <= 0) return false;
  const float root = std::sqrt(discriminant);
  span->enter = (-b - root) / a;
  span->leave = (-b + root) / a;
  const Vec3 at = so + sd * span->enter;
  span->normal = {at.x / p.half.x, at.y / p.half.y, at.z / p.half.z};
  return true;
}

/// Elliptic cylinder or cone frustum: x² + y² <= (A − B·z)² in units of the half extents, |z| <= half.z;
/// taper_x is its taper.
bool CylinderSpan(const Primitive& p, Vec3 o, Vec3 d, Span* span) {
  if (!Clip(o, d, {0, 0, 1}, p.half.z, span) || !Clip(o, d, {0, 0, -1}, p.half.z, span)) return false;
  const float slope = p.taper_x / (2 * p.half.z);
  const float ox = o.x / p.half.x, oy = o.y / p.half.y, dx = d.x / p.half.x, dy = d.y / p.half.y;
  const float radius = 1 - p.taper_x / 2 - slope * o.z, change = -slope * d.z;
  const float a = dx * dx + dy * dy - change * change;
  const float b = ox * dx + oy * dy - radius * change;
  const float c = ox * ox + oy * oy - radius * radius;
  float enter = -kInfinity, leave = kInfinity;
  const float discriminant = b * b - a * c;
  if (std::abs(a) < 1e-9F) {
    if (c > 0) return false;  // parallel to the axis and outside
  } else if (discriminant <= 0) {
    if (a > 0) return false;
  } else {
    const float root = std::sqrt(discriminant);
    const float low = (-b - root) / a, high = (-b + root) / a;
    if (a > 0) {
      enter = low;
      leave = high;
    } else if (high >= span->enter) {  // steeper than the cone's side: inside before `high` or after `low`
      leave = high;
    } else {
      enter = low;
    }
  }
  if (enter > span->enter) {
    span->enter = enter;
    const float r = radius + change * enter;
    span->normal = {(ox + dx * enter) / p.half.x, (oy + dy * enter) / p.half.y, r * slope};
  }
  span->leave = std::min(span->leave, leave);
  return span->enter < span->leave;
}

}  // namespace

bool Intersect(const Primitive& primitive, Vec3 origin, Vec3 direction, float t_min, float t_max,
               Entry* entry) {
  const Vec3 o = primitive.local_from_world * (origin - primitive.center);
  const Vec3 d = primitive.local_from_world * direction;
  Span span = {-kInfinity, kInfinity, {}};
  bool hit = false;
  switch (primitive.shape) {
    case Shape::kBox:
      hit = BoxSpan(primitive, o, d, &span);
      break;
    case Shape::kEllipsoid:
      hit = EllipsoidSpan(primitive, o, d, &span);
      break;
    case Shape::kCylinder:
      hit = CylinderSpan(primitive, o, d, &span);
      break;
  }
  if (!hit || span.enter <= t_min || span.enter >= t_max) return false;
  *entry = {span.enter, o + d * span.enter, Normalized(span.normal)};
  return true;
}

bool Contains(const Primitive& primitive, Vec3 point, Vec3 margin) {
  const Vec3 p = primitive.local_from_world * (point - primitive.center);
  const Vec3 half = primitive.half + margin;
  if (std::abs(p.x) > half.x || std::abs(p.y) > half.y || std::abs(p.z) > half.z) return false;
  const float height = std::clamp((p.z + primitive.half.z) / (2 * primitive.half.z), 0.0F, 1.0F);
  switch (primitive.shape) {
    case Shape::kBox:
      return std::abs(p.x) <= primitive.half.x * (1 - primitive.taper_x * height) + margin.x &&
             std::abs(p.y) <= primitive.half.y * (1 - primitive.taper_y * height) + margin.y;
    case Shape::kEllipsoid: {
      const Vec3 s = {p.x / half.x, p.y / half.y, p.z / half.z};
      return Dot(s, s) <= 1;
    }
    case Shape::kCylinder: {
      const float radius = 1 - primitive.taper_x * height;
      const float sx = p.x / (primitive.half.x * radius + margin.x),
                  sy = p.y / (primitive.half.y * radius + margin.y);
      return sx * sx + sy * sy <= 1;
    }
  }
  return false;
}

Vec3 AlignedHalfExtents(const Primitive& primitive) {
  const float* m = primitive.local_from_world.m;
  const Vec3 h = primitive.half;
  const auto extent = [&](int axis) {
    return std::abs(m[axis]) * h.x + std::abs(m[3 + axis]) * h.y + std::abs(m[6 + axis]) * h.z;
  };
  return {extent(0), extent(1), extent(2)};
}

}  // namespace bdc::simulation
