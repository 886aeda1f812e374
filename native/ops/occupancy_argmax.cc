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

void OccupancyArgmax::Run(const RunContext& context, Tensors inputs, Tensors outputs) const {
  const Tensor& x = inputs[0];
  const int64_t size = x.plane(), blocks = (x.width + kArgmaxBlock - 1) / kArgmaxBlock;
  const int64_t grain = Grain(kArgmaxBlock * x.channels);
  context.pool.ParallelFor(0, x.height * blocks, grain, [&](int64_t begin, int64_t end) {
    uint8_t labels[kArgmaxBlock];
    float confidence[kArgmaxBlock];
    for (int64_t item = begin; item < end; ++item) {
      const int64_t row = item / blocks, column = item % blocks * kArgmaxBlock;
      const int count = static_cast<int>(std::min<int64_t>(kArgmaxBlock, x.width - column));
      for (int z = 0; z < levels_; ++z) {
        const float* logits = x.f32() + z * classes_ * size + row * x.width + column;
        context.kernels.planes.argmax(logits, size, classes_, count, labels, confidence);
        for (int i = 0; i < count; ++i) {
          const int64_t voxel = ((column + i) * x.height + row) * levels_ + z;
          outputs[0].u8()[voxel] = labels[i];
          outputs[1].f32()[voxel] = confidence[i];
        }
      }
    }
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
