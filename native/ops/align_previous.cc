#include "ops/align_previous.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "ops/bilinear_taps.h"
#include "ops/planes.h"

namespace bdc {
namespace {

/// Cells of a row that are placed together, then blended channel by channel.
constexpr int kColumns = 64;

/// The neighbours of each cell's place.
struct Taps {
  int32_t offset[4][kColumns];
  float weight[4][kColumns];

  void Set(int at, const BilinearTaps& taps) {
    for (int tap = 0; tap < 4; ++tap) offset[tap][at] = taps.offset[tap], weight[tap][at] = taps.weight[tap];
  }
};

}  // namespace

AlignPrevious::AlignPrevious(OperationReader& reader) : map_(reader.OnlyRealInput()) {
  if (map_.batch != 1) {
    reader.Fail("MODEL_SHAPE", "inputs[0]", "one map of the BEV grid, a batch of 1",
                map_.batch == TensorSpec::kPerCamera ? "a batch of cameras" : std::to_string(map_.batch));
  }
  const GridSpec& grid = reader.grid();
  min_x_ = grid.min[0];
  min_y_ = grid.min[1];
  cell_x_ = (grid.max[0] - grid.min[0]) / map_.width;
  cell_y_ = (grid.max[1] - grid.min[1]) / map_.height;
  reader.AddOutput(map_);
}

int64_t AlignPrevious::HistoryBytes() const { return map_.ImageBytes(); }

AlignPrevious::Place AlignPrevious::PlaceOf(const RigidMotion& motion, int row, int column) const {
  const double x = min_x_ + (column + 0.5) * cell_x_, y = min_y_ + (row + 0.5) * cell_y_;
  const auto& m = motion.previous_from_current;
  // A BEV map has no heights: points of the ground plane, z = 0.
  return {(m[0] * x + m[1] * y + m[3] - min_x_) / cell_x_ - 0.5,
          (m[4] * x + m[5] * y + m[7] - min_y_) / cell_y_ - 0.5};
}

void AlignPrevious::AlignRows(const History& history, const Tensor& y, int64_t begin, int64_t end) const {
  const int64_t size = y.plane();
  Taps taps;
  for (int64_t row = begin; row < end; ++row) {
    for (int first = 0; first < y.width; first += kColumns) {
      const int count = std::min(kColumns, y.width - first);
      for (int i = 0; i < count; ++i) {
        const Place place = PlaceOf(*history.motion, static_cast<int>(row), first + i);
        taps.Set(i, BilinearTaps(place.column, place.row, y.width, y.height));
      }
      for (int channel = 0; channel < y.channels; ++channel) {
        const float* from = history.previous + channel * size;
        float* to = y.f32() + channel * size + row * y.width + first;
        for (int i = 0; i < count; ++i) {
          to[i] = taps.weight[0][i] * from[taps.offset[0][i]] + taps.weight[1][i] * from[taps.offset[1][i]] +
                  taps.weight[2][i] * from[taps.offset[2][i]] + taps.weight[3][i] * from[taps.offset[3][i]];
        }
      }
    }
  }
}

void AlignPrevious::Run(const RunContext& context, Tensors inputs, Tensors outputs) const {
  const History& history = context.history;
  const Tensor& x = inputs[0];
  const Tensor& y = outputs[0];
  ForEachPlane(context, x.channels, x.plane(), [&](int64_t channel) {
    const int64_t at = channel * x.plane();
    std::copy_n(x.f32() + at, x.plane(), history.next + at);
    if (!history.previous) std::fill_n(y.f32() + at, y.plane(), 0.0f);
  });
  if (!history.previous) return;
  context.pool.ParallelFor(0, y.height, Grain(int64_t{y.width} * y.channels),
                           [&](int64_t begin, int64_t end) { AlignRows(history, y, begin, end); });
}

/// Value by value, as docs/model-format.md states it.
void AlignPrevious::RunReference(const RunContext& context, Tensors inputs, Tensors outputs) const {
  const History& history = context.history;
  const Tensor& y = outputs[0];
  std::memcpy(history.next, inputs[0].data, static_cast<size_t>(map_.ImageBytes()));
  const auto value = [&](int channel, double row, double column) {
    if (!(row >= 0 && row < y.height && column >= 0 && column < y.width)) return 0.0;
    const int64_t cell = static_cast<int64_t>(row) * y.width + static_cast<int64_t>(column);
    return double{history.previous[channel * y.plane() + cell]};
  };
  float* to = y.f32();
  for (int channel = 0; channel < y.channels; ++channel) {
    for (int i = 0; i < y.height; ++i) {
      for (int j = 0; j < y.width; ++j, ++to) {
        *to = 0;
        if (!history.previous) continue;
        const auto [column, row] = PlaceOf(*history.motion, i, j);
        const double left = std::floor(column), top = std::floor(row);
        const double right_share = column - left, low_share = row - top;
        *to = static_cast<float>((1 - low_share) * (1 - right_share) * value(channel, top, left) +
                                 (1 - low_share) * right_share * value(channel, top, left + 1) +
                                 low_share * (1 - right_share) * value(channel, top + 1, left) +
                                 low_share * right_share * value(channel, top + 1, left + 1));
      }
    }
  }
}

}  // namespace bdc
