#include "ops/stereo_cost_volume.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/bilinear_taps.h"
#include "ops/planes.h"

namespace bdc {
namespace {

/// Points nearer to the previous camera's plane than this, metres, count as behind it.
constexpr double kNearest = 1e-3;
/// Counted from the last channel: the one whose sampled value of 0 marks what the previous image doesn't
/// show.
constexpr int kGroup = 4;

}  // namespace

StereoCostVolume::StereoCostVolume(OperationReader& reader)
    : features_(reader.OnlyRealInput()),
      depths_(reader.Numbers("depths")),
      max_cameras_(reader.max_cameras()),
      stride_(reader.Int("stride", 1, 64)),
      bias_(static_cast<float>(reader.Number("bias"))) {
  if (features_.batch != TensorSpec::kPerCamera) {
    reader.Fail("MODEL_SHAPE", "inputs[0]", "a batch of cameras", "a batch of fixed size");
  }
  if (features_.channels % kGroup != 0 || features_.height < 2 || features_.width < 2) {
    reader.Fail("MODEL_SHAPE", "inputs[0]", "a multiple of 4 channels, at least 2 rows and 2 columns",
                ToString(features_));
  }
  const bool ascends = std::is_sorted(depths_.begin(), depths_.end());
  if (depths_.empty() || depths_.size() > 4096 || !ascends || !(depths_[0] > 0) ||
      !std::isfinite(depths_.back())) {
    reader.Fail("MODEL_ATTRIBUTE", "attributes.depths", "1 to 4096 ascending numbers above 0",
                std::to_string(depths_.size()) + " numbers");
  }
  if (!std::isfinite(bias_)) {
    reader.Fail("MODEL_ATTRIBUTE", "attributes.bias", "a finite number", std::to_string(bias_));
  }
  TensorSpec output = features_;
  output.channels = static_cast<int>(depths_.size());
  reader.AddOutput(output);
}

int64_t StereoCostVolume::KeptValues() const {
  return features_.Plane() * features_.channels + kCameraParameters + 1;
}

int64_t StereoCostVolume::HistoryBytes() const {
  return max_cameras_ * KeptValues() * static_cast<int64_t>(sizeof(float));
}

void StereoCostVolume::Keep(const RunContext& context, const Tensor& x) const {
  const int64_t values = x.image(), size = x.plane();
  float* kept = context.history.next;
  for (int camera = 0; camera < max_cameras_; ++camera) kept[(camera + 1) * KeptValues() - 1] = 0;
  for (int camera : context.cameras) {
    float* after = kept + camera * KeptValues() + values;
    std::copy_n(&context.camera_parameters[camera * kCameraParameters], kCameraParameters, after);
    after[kCameraParameters] = 1;
  }
  // Pixel by pixel, so that a pixel's channels lie side by side.
  context.pool.ParallelFor(0, x.batch * size, Grain(x.channels), [&](int64_t begin, int64_t end) {
    for (int64_t at = begin; at < end; ++at) {
      const int64_t image = at / size, pixel = at % size;
      float* to = kept + context.cameras[image] * KeptValues() + pixel * x.channels;
      const float* from = x.f32() + image * values + pixel;
      for (int c = 0; c < x.channels; ++c) to[c] = from[c * size];
    }
  });
}

bool StereoCostVolume::HasHistory(const RunContext& context, int camera) const {
  const History& history = context.history;
  return history.previous && history.previous[(camera + 1) * KeptValues() - 1] != 0;
}

StereoCostVolume::Pair StereoCostVolume::PairOf(const RunContext& context, int camera) const {
  const float* now = context.history.next + camera * KeptValues();
  const float* then = context.history.previous + camera * KeptValues();
  const int64_t values = features_.Plane() * features_.channels;
  return {PinholeCamera(now + values), PinholeCamera(then + values), *context.history.motion, now, then};
}

void StereoCostVolume::NormalizePixel(float* costs, int64_t plane) const {
  const auto depths = static_cast<int64_t>(depths_.size());
  float least = costs[0], sum = 0;
  for (int64_t d = 1; d < depths; ++d) least = std::min(least, costs[d * plane]);
  for (int64_t d = 0; d < depths; ++d) sum += costs[d * plane] = std::exp(least - costs[d * plane]);
  for (int64_t d = 0; d < depths; ++d) costs[d * plane] /= sum;
}

template <typename Cost>
void StereoCostVolume::ForEachCost(const RunContext& context, const Tensor& y, const Cost& cost) const {
  // Feature (i, j) is at pixel (linspace(0, H − 1, h)[i], linspace(0, W − 1, w)[j]).
  const double pitch_u = (y.width * stride_ - 1.0) / (y.width - 1);
  const double pitch_v = (y.height * stride_ - 1.0) / (y.height - 1);
  const int64_t rows = int64_t{y.batch} * y.height;
  context.pool.ParallelFor(0, rows, 1, [&](int64_t begin, int64_t end) {
    for (int64_t at = begin; at < end; ++at) {
      const int64_t image = at / y.height, row = at % y.height;
      const int camera = context.cameras[image];
      float* to = y.f32() + image * y.image() + row * y.width;
      if (!HasHistory(context, camera)) {
        for (int d = 0; d < y.channels; ++d) std::fill_n(to + d * y.plane(), y.width, 0.0f);
        continue;
      }
      const Pair pair = PairOf(context, camera);
      const auto& m = pair.motion.previous_from_current;
      for (int column = 0; column < y.width; ++column) {
        const auto ray = pair.current.RayOf({column * pitch_u, static_cast<double>(row) * pitch_v});
        for (int d = 0; d < y.channels; ++d) {
          const auto p = pair.current.ToBase({ray.x * depths_[d], ray.y * depths_[d], depths_[d]});
          const auto moved = pair.previous.FromBase({m[0] * p.x + m[1] * p.y + m[2] * p.z + m[3],
                                                     m[4] * p.x + m[5] * p.y + m[6] * p.z + m[7],
                                                     m[8] * p.x + m[9] * p.y + m[10] * p.z + m[11]});
          double place_u = std::numeric_limits<double>::quiet_NaN(), place_v = place_u;
          if (moved.z >= kNearest) {
            const auto pixel = pair.previous.PixelOf(moved);
            place_u = pixel.u / pitch_u;
            place_v = pixel.v / pitch_v;
          }
          to[d * y.plane() + column] = cost(pair, row * y.width + column, place_u, place_v);
        }
        NormalizePixel(to + column, y.plane());
      }
    }
  });
}

void StereoCostVolume::Run(const RunContext& context, Tensors inputs, Tensors outputs) const {
  const int channels = features_.channels, width = features_.width, height = features_.height;
  Keep(context, inputs[0]);
  ForEachCost(context, outputs[0], [&](const Pair& pair, int64_t pixel, double column, double row) {
    const BilinearTaps taps(column, row, width, height);
    const float* neighbours[4];
    for (int tap = 0; tap < 4; ++tap) neighbours[tap] = pair.then + int64_t{taps.offset[tap]} * channels;
    float marker = 0;
    for (int tap = 0; tap < 4; ++tap) marker += taps.weight[tap] * neighbours[tap][channels - kGroup];
    const float difference = context.kernels.planes.blend_difference(neighbours, taps.weight,
                                                                     pair.now + pixel * channels, channels);
    return marker == 0 ? difference + bias_ : difference;
  });
}

/// Channel by channel, as docs/model-format.md states it.
void StereoCostVolume::RunReference(const RunContext& context, Tensors inputs, Tensors outputs) const {
  const int channels = features_.channels, width = features_.width, height = features_.height;
  Keep(context, inputs[0]);
  ForEachCost(context, outputs[0], [&](const Pair& pair, int64_t pixel, double column, double row) {
    const double left = std::floor(column), top = std::floor(row);
    const auto sampled = [&](int channel) {
      double sum = 0;
      for (int tap = 0; tap < 4; ++tap) {
        const double x = left + tap % 2, y = top + tap / 2;
        if (!(x >= 0 && x < width && y >= 0 && y < height)) continue;
        const double share = (1 - std::fabs(column - x)) * (1 - std::fabs(row - y));
        sum += share *
               pair.then[(static_cast<int64_t>(y) * width + static_cast<int64_t>(x)) * channels + channel];
      }
      return sum;
    };
    double cost = sampled(channels - kGroup) == 0 ? double{bias_} : 0;
    for (int c = 0; c < channels; ++c) cost += std::fabs(pair.now[pixel * channels + c] - sampled(c));
    return static_cast<float>(cost);
  });
}

}  // namespace bdc
