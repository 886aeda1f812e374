#pragma once

#include <cmath>

namespace bdc::simulation {

struct Vec3 {
  float x = 0, y = 0, z = 0;
  float& operator[](int axis) { return axis == 0 ? x : axis == 1 ? y : z; }
  float operator[](int axis) const { return axis == 0 ? x : axis == 1 ? y : z; }
};

inline Vec3 operator+(Vec3 a, Vec3 b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
inline Vec3 operator-(Vec3 a, Vec3 b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
inline Vec3 operator*(Vec3 a, float s) { return {a.x * s, a.y * s, a.z * s}; }
inline Vec3 operator*(Vec3 a, Vec3 b) { return {a.x * b.x, a.y * b.y, a.z * b.z}; }
inline float Dot(Vec3 a, Vec3 b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
inline float Length(Vec3 a) { return std::sqrt(Dot(a, a)); }
inline Vec3 Normalized(Vec3 a) { return a * (1.0F / Length(a)); }
inline Vec3 Mix(Vec3 a, Vec3 b, float t) { return a * (1.0F - t) + b * t; }

/// Row-major rotation matrix.
struct Rotation {
  float m[9];
  Vec3 operator*(Vec3 v) const {
    return {m[0] * v.x + m[1] * v.y + m[2] * v.z, m[3] * v.x + m[4] * v.y + m[5] * v.z,
            m[6] * v.x + m[7] * v.y + m[8] * v.z};
  }
  /// The inverse rotation applied to `v`.
  Vec3 TransposeTimes(Vec3 v) const {
    return {m[0] * v.x + m[3] * v.y + m[6] * v.z, m[1] * v.x + m[4] * v.y + m[7] * v.z,
            m[2] * v.x + m[5] * v.y + m[8] * v.z};
  }
};

/// Takes points of a child frame (a sensor, the ego vehicle) into the world frame; metres.
struct Pose {
  Rotation rotation;
  Vec3 translation;
  Vec3 Apply(Vec3 point) const { return rotation * point + translation; }
  Vec3 ApplyInverse(Vec3 point) const { return rotation.TransposeTimes(point - translation); }
};

}  // namespace bdc::simulation
