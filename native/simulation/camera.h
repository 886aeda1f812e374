#pragma once

#include <cstdint>
#include <vector>

#include "simulation/world.h"

namespace bdc::simulation {

/// What turns light into pixel values.
struct Sensor {
  float exposure = 1;
  Vec3 white_balance = {1, 1, 1};
  float noise = 0;     // standard deviation at mid grey, on the 0…1 scale
  float vignette = 0;  // share of light lost in the corners
  float blur = 0;      // share of a pixel's light that its eight neighbours get, per axis: 0 … 1
  uint32_t seed = 0;   // of jitter and noise
};

struct Camera {
  Pose world_from_camera;  // optical frame: x right, y down, z forward
  int width = 0, height = 0;
  float fx = 1, fy = 1, cx = 0, cy = 0;
  /// [height + 1][width + 1][3]: unit directions at the pixels' corners (pixel centre minus a half, …), for
  /// any lens. When not empty it stands in for fx … cy; NaN: the lens sees nothing there.
  std::vector<float> corner_rays;
  int samples_per_pixel = 1;
  Sensor sensor;

  /// Direction in the optical frame at pixel coordinates (0, 0 = centre of the top left pixel): z = 1 by the
  /// focal lengths, of unit length by corner_rays, NaN where the lens sees nothing.
  Vec3 Ray(float column, float row) const;
};

struct Image {
  std::vector<uint8_t> rgb;  // [height][width][3]
  std::vector<float>
      depth;  // [height][width] in lengths of Camera::Ray of the pixel's centre, metres; +infinity: sky
  std::vector<uint8_t> labels;  // [height][width], kFree: sky
  std::vector<int32_t> actors;  // [height][width], −1: none
};

Image Render(const World& world, const Camera& camera);

}  // namespace bdc::simulation
