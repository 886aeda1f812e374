#include "ops/occupancy_argmax.h"

#include <algorithm>
#include <cmath>

#include "ops/planes.h"

namespace bdc {

OccupancyArgmax::OccupancyArgmax(OperationReader& reader) {
  const TensorSpec& logits = reader.OnlyRealInput();
  classes_ = reader.Int("classes", 2, 255);
  const GridSpec& grid = reader.grid();
  const TensorSpec expected{ElementType::kFloat32, 1, grid.shape[2] * classes_, grid.shape[1], grid.shape[0]};
  if (logits != expected) {
    reader.Fail("MODEL_SHAPE", "inputs[0]",
                ToString({1, expected.channels, expected.height, expected.width}) +
                    " (nz·classes, ny, nx of the grid)",
                ToString({logits.batch, logits.channels, logits.height, logits.width}));
  }
  levels_ = grid.shape[2];
  TensorSpec output{ElementType::kUint8, 1, grid.shape[0], grid.shape[1], grid.shape[2]};
  reader.AddOutput(output);
  output.type = ElementType::kFloat32;
  reader.AddOutput(output);
}

void OccupancyArgmax::RunCells(const KernelSet& kernels, const float* logits, int64_t plane, int64_t first,
                               int count, Tensors outputs) const {
  constexpr int kLevels = 8;  // found before they are handed over: neighbours in memory
  const int64_t width = outputs[0].channels, height = outputs[0].height;
  uint8_t labels[kLevels][kArgmaxBlock];
  float confidence[kLevels][kArgmaxBlock];
  for (int at = 0; at < count; at += kArgmaxBlock) {
    const int block = std::min(kArgmaxBlock, count - at);
    for (int z = 0; z < levels_; z += kLevels) {
      const int levels = std::min(kLevels, levels_ - z);
      for (int level = 0; level < levels; ++level) {
        kernels.planes.argmax(logits + int64_t{z + level} * classes_ * plane + at, plane, classes_, block,
                              labels[level], confidence[level]);
      }
      for (int i = 0; i < block; ++i) {
        const int64_t cell = first + at + i;
        const int64_t voxel = (cell % width * height + cell / width) * levels_ + z;
        for (int level = 0; level < levels; ++level) {
          outputs[0].u8()[voxel + level] = labels[level][i];
          outputs[1].f32()[voxel + level] = confidence[level][i];
        }
      }
    }
  }
}

void OccupancyArgmax::Run(const RunContext& context, Tensors inputs, Tensors outputs) const {
  const Tensor& x = inputs[0];
  const int64_t blocks = (x.plane() + kArgmaxBlock - 1) / kArgmaxBlock;
  context.pool.ParallelFor(0, blocks, Grain(kArgmaxBlock * x.channels), [&](int64_t begin, int64_t end) {
    const int64_t first = begin * kArgmaxBlock, last = std::min(x.plane(), end * kArgmaxBlock);
    RunCells(context.kernels, x.f32() + first, x.plane(), first, static_cast<int>(last - first), outputs);
  });
}

void OccupancyArgmax::RunReference(const RunContext& context, Tensors inputs, Tensors outputs) const {
  const Tensor& x = inputs[0];
  const int64_t size = x.plane();
  context.pool.ParallelFor(0, size, Grain(x.channels), [&](int64_t begin, int64_t end) {
    for (int64_t cell = begin; cell < end; ++cell) {
      const int64_t row = cell / x.width, column = cell % x.width;
      for (int z = 0; z < levels_; ++z) {
        const float* logits = x.f32() + z * classes_ * size + cell;
        int label = 0;
        for (int k = 1; k < classes_; ++k) {
          if (logits[k * size] > logits[label * size]) label = k;
        }
        double sum = 0;
        for (int k = 0; k < classes_; ++k) sum += std::exp(double{logits[k * size]} - logits[label * size]);
        const int64_t voxel = (column * x.height + row) * levels_ + z;
        outputs[0].u8()[voxel] = static_cast<uint8_t>(label);
        outputs[1].f32()[voxel] = static_cast<float>(1.0 / sum);
      }
    }
  });
}

}  // namespace bdc
