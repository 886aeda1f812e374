#pragma once

#include <cstdint>

namespace bdc::simulation {

/// 32-bit finaliser of MurmurHash3: every input bit changes about half of the output bits.
inline uint32_t Scramble(uint32_t h) {
  h ^= h >> 16;
  h *= 0x85ebca6bU;
  h ^= h >> 13;
  h *= 0xc2b2ae35U;
  return h ^ (h >> 16);
}

inline uint32_t Hash(int32_t x, int32_t y, int32_t z, uint32_t seed) {
  return Scramble(static_cast<uint32_t>(x) * 0x9e3779b1U ^ static_cast<uint32_t>(y) * 0x85ebca77U ^
                  static_cast<uint32_t>(z) * 0xc2b2ae3dU ^ seed);
}

/// In [0, 1).
inline float Uniform(uint32_t hash) { return static_cast<float>(hash >> 8) * 0x1p-24F; }

/// The largest whole number that is not above `value`, for |value| < 2³¹; std::floor is a library call on
/// plain x86-64.
inline int32_t FloorInt(float value) {
  const auto whole = static_cast<int32_t>(value);
  return whole - (static_cast<float>(whole) > value ? 1 : 0);
}

/// What is left of `value` after FloorInt, in [0, 1).
inline float Fraction(float value) { return value - static_cast<float>(FloorInt(value)); }

/// Value noise in [0, 1): random values at whole coordinates, smoothly interpolated (Perlin's 3t² − 2t³).
float ValueNoise2(float x, float y, uint32_t seed);
float ValueNoise3(float x, float y, float z, uint32_t seed);

}  // namespace bdc::simulation
