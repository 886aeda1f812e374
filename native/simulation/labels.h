#pragma once

#include <cstdint>

namespace bdc::simulation {

/// The Occ3D classes that the ray caster itself must know; src/dataset/occ3d.ts has all names.
enum Label : uint8_t {
  kOthers = 0,
  kDriveableSurface = 11,
  kOtherFlat = 12,
  kSidewalk = 13,
  kTerrain = 14,
  kFree = 17,
};
inline constexpr int kLabels = 18;

}  // namespace bdc::simulation
