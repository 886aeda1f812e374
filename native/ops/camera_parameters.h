#pragma once

#include "ops/operation.h"
#include "ops/operation_reader.h"

namespace bdc {

/// A pinhole camera from its kCameraParameters numbers (docs/model-format.md, camera_parameters). Pixels are
/// the network image's.
class PinholeCamera {
 public:
  explicit PinholeCamera(const float* parameters);

  struct Vector {
    double x, y, z;
  };
  struct Pixel {
    double u, v;
  };
  /// Ray of a pixel in the optical frame, z = 1.
  Vector RayOf(const Pixel& pixel) const;
  /// Pixel of a point in front of the camera, optical frame.
  Pixel PixelOf(const Vector& point) const;
  Vector ToBase(const Vector& point) const;
  Vector FromBase(const Vector& point) const;

 private:
  double fx_, fy_, cx_, cy_;
  double pixels_[6];  // rows r00 r01 t0, r10 r11 t1: the network image's pixel from the camera image's
  double mount_[12];  // rows of the 3×4 matrix from the optical frame to the base frame
};

/// The calibration of each camera of the batch: x [cameras,…] → [cameras,27,1,1].
class CameraParameters : public Operation {
 public:
  explicit CameraParameters(OperationReader& reader);
  bool UsesCalibration() const override { return true; }
  void Run(const RunContext& context, Tensors inputs, Tensors outputs) const override;
};

}  // namespace bdc
