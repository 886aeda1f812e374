#include "ops/lift_splat.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "ops/planes.h"

namespace bdc {
namespace {

/// BEV cells whose sums are handed over together: a cache line of each channel.
constexpr int64_t kCells = 16;

/// Image of the batch that each rig camera has in this frame, −1 if it is not live.
std::array<int16_t, kMaxCameras> ImageOfCamera(std::span<const int> cameras) {
  std::array<int16_t, kMaxCameras> image;
  image.fill(-1);
  for (size_t i = 0; i < cameras.size(); ++i) image[cameras[i]] = static_cast<int16_t>(i);
  return image;
}

}  // namespace

LiftSplat::LiftSplat(OperationReader& reader) : grid_(reader.grid()), max_cameras_(reader.max_cameras()) {
  reader.ExpectInputs(2, 2);
  const TensorSpec& depth = reader.Input(0, ElementType::kFloat32);
  const TensorSpec& context = reader.Input(1, ElementType::kFloat32);
  if (depth.batch != TensorSpec::kPerCamera || context.batch != TensorSpec::kPerCamera) {
    reader.Fail("MODEL_SHAPE", "inputs", "a batch of cameras", "a batch of fixed size");
  }
  if (context.height != depth.height || context.width != depth.width) {
    reader.Fail("MODEL_SHAPE", "inputs[1]",
                "the size of inputs[0], " + std::to_string(depth.height) + "×" + std::to_string(depth.width),
                std::to_string(context.height) + "×" + std::to_string(context.width));
  }
  depths_ = reader.Numbers("depths");
  if (depths_.size() != static_cast<size_t>(depth.channels) || depths_.size() > 65535) {
    reader.Fail("MODEL_ATTRIBUTE", "attributes.depths",
                "one number for each of the " + std::to_string(depth.channels) +
                    " channels of inputs[0] (at most 65535)",
                std::to_string(depths_.size()));
  }
  for (double value : depths_) {
    if (!std::isfinite(value)) {
      reader.Fail("MODEL_ATTRIBUTE", "attributes.depths", "finite numbers", std::to_string(value));
    }
  }
  const double points = 1.0 * max_cameras_ * depth.channels * depth.height * depth.width;
  if (points > std::numeric_limits<uint32_t>::max()) {
    reader.Fail("MODEL_SHAPE", "inputs[0]", "fewer than 2^32 points in all cameras", std::to_string(points));
  }
  height_ = depth.height;
  width_ = depth.width;
  channels_ = context.channels;
  reader.AddOutput({ElementType::kFloat32, 1, channels_, grid_.shape[1], grid_.shape[0]});
}

std::unique_ptr<const Projection> LiftSplat::Project(const RigRays& rig) const {
  return std::make_unique<const Projection>(rig, depths_, grid_);
}

int64_t LiftSplat::ScratchBytes(int) const {
  return int64_t{max_cameras_} * height_ * width_ * channels_ * static_cast<int64_t>(sizeof(float));
}

int64_t LiftSplat::ThreadScratchBytes() const {
  return kCells * channels_ * static_cast<int64_t>(sizeof(float));
}

void LiftSplat::Run(const RunContext& context, Tensors inputs, Tensors outputs) const {
  const Tensor& depth = inputs[0];
  const Tensor& features = inputs[1];
  const Tensor& bev = outputs[0];
  const int64_t size = depth.plane(), cells = bev.plane();
  const int channels = channels_;

  // Pixel by pixel, so that a point's channels lie side by side.
  auto* by_pixel = reinterpret_cast<float*>(context.scratch);
  context.pool.ParallelFor(0, features.batch * size, Grain(channels), [&](int64_t begin, int64_t end) {
    for (int64_t at = begin; at < end; ++at) {
      const float* from = features.f32() + at / size * features.image() + at % size;
      for (int c = 0; c < channels; ++c) by_pixel[at * channels + c] = from[c * size];
    }
  });

  const auto image_of = ImageOfCamera(context.cameras);
  const Projection& projection = *context.projection;
  const SplatArgs args{depth.f32(), by_pixel, image_of.data(), depth.image(), size, channels};
  ForEachItem(context, (cells + kCells - 1) / kCells, [&](int64_t slot, int64_t block) {
    auto* sums = reinterpret_cast<float*>(context.ThreadScratch(slot));
    const int64_t first = block * kCells, last = std::min(cells, first + kCells);
    for (int64_t cell = first; cell < last; ++cell) {
      context.kernels.planes.splat(args, projection.Begin(cell), projection.Begin(cell + 1),
                                   sums + (cell - first) * channels);
    }
    for (int c = 0; c < channels; ++c) {
      for (int64_t cell = first; cell < last; ++cell) {
        bev.f32()[c * cells + cell] = sums[(cell - first) * channels + c];
      }
    }
  });
}

/// As docs/model-format.md states it, point by point, without the table.
void LiftSplat::RunReference(const RunContext& context, Tensors inputs, Tensors outputs) const {
  const Tensor& depth = inputs[0];
  const Tensor& features = inputs[1];
  const Tensor& bev = outputs[0];
  const RigRays& rig = context.projection->rig();
  const int64_t size = depth.plane();
  ForEachPlane(context, channels_, bev.plane(), [&](int64_t channel) {
    float* sums = bev.f32() + channel * bev.plane();
    std::fill_n(sums, bev.plane(), 0.0f);
    for (size_t image = 0; image < context.cameras.size(); ++image) {
      const int64_t camera = context.cameras[image];
      for (size_t bin = 0; bin < depths_.size(); ++bin) {
        for (int64_t pixel = 0; pixel < size; ++pixel) {
          double point[3];
          for (int axis = 0; axis < 3; ++axis) {
            point[axis] = double{rig.origins[camera * 3 + axis]} +
                          depths_[bin] * double{rig.rays[(camera * size + pixel) * 3 + axis]};
          }
          const int64_t cell = Projection::CellOf(grid_, point);
          if (cell < 0) continue;
          sums[cell] += depth.f32()[image * depth.image() + bin * size + pixel] *
                        features.f32()[image * features.image() + channel * size + pixel];
        }
      }
    }
  });
}

}  // namespace bdc
