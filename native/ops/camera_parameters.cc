#include "ops/camera_parameters.h"

#include <algorithm>

namespace bdc {

PinholeCamera::PinholeCamera(const float* parameters)
    : fx_(parameters[0]), fy_(parameters[1]), cx_(parameters[2]), cy_(parameters[3]) {
  std::copy_n(parameters + 4, 6, pixels_);
  std::copy_n(parameters + 15, 12, mount_);
}

PinholeCamera::Vector PinholeCamera::RayOf(const Pixel& pixel) const {
  const double u = pixel.u - pixels_[2], v = pixel.v - pixels_[5];
  const double determinant = pixels_[0] * pixels_[4] - pixels_[1] * pixels_[3];
  const double column = (pixels_[4] * u - pixels_[1] * v) / determinant;
  const double row = (pixels_[0] * v - pixels_[3] * u) / determinant;
  return {(column - cx_) / fx_, (row - cy_) / fy_, 1};
}

PinholeCamera::Pixel PinholeCamera::PixelOf(const Vector& point) const {
  const double column = fx_ * point.x / point.z + cx_, row = fy_ * point.y / point.z + cy_;
  return {pixels_[0] * column + pixels_[1] * row + pixels_[2],
          pixels_[3] * column + pixels_[4] * row + pixels_[5]};
}

PinholeCamera::Vector PinholeCamera::ToBase(const Vector& point) const {
  const auto row = [&](const double* m) { return m[0] * point.x + m[1] * point.y + m[2] * point.z + m[3]; };
  return {row(mount_), row(mount_ + 4), row(mount_ + 8)};
}

PinholeCamera::Vector PinholeCamera::FromBase(const Vector& point) const {
  const double x = point.x - mount_[3], y = point.y - mount_[7], z = point.z - mount_[11];
  const auto column = [&](int i) { return mount_[i] * x + mount_[4 + i] * y + mount_[8 + i] * z; };
  return {column(0), column(1), column(2)};
}

CameraParameters::CameraParameters(OperationReader& reader) {
  TensorSpec output = reader.OnlyRealInput();
  if (output.batch != TensorSpec::kPerCamera) {
    reader.Fail("MODEL_SHAPE", "inputs[0]", "a batch of cameras", "a batch of fixed size");
  }
  output.channels = kCameraParameters;
  output.height = output.width = 1;
  reader.AddOutput(output);
}

void CameraParameters::Run(const RunContext& context, Tensors, Tensors outputs) const {
  float* to = outputs[0].f32();
  for (int camera : context.cameras) {
    std::copy_n(&context.camera_parameters[camera * kCameraParameters], kCameraParameters, to);
    to += outputs[0].image();
  }
}

}  // namespace bdc
