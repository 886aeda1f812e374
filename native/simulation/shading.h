#pragma once

#include "simulation/world.h"

namespace bdc::simulation {

constexpr float kFarAway = 400;  // metres; the horizon

/// Linear RGB that arrives along a ray in `direction` that ends at `end`, or in the sky when that is nullptr.
/// `pixel_angle`: width of a pixel divided by its distance, for fading fine texture.
Vec3 Radiance(const World& world, Vec3 direction, const Hit* end, float pixel_angle);

/// Unlit colour of a primitive's surface, linear RGB. `footprint` in metres.
Vec3 SurfaceColor(const Hit& hit, float footprint);

/// Linear RGB of the sky; `direction` of unit length.
Vec3 SkyColor(const Environment& environment, Vec3 direction);

}  // namespace bdc::simulation
