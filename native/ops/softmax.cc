#include "ops/softmax.h"

#include <algorithm>
#include <cmath>

#include "ops/planes.h"

namespace bdc {

Softmax::Softmax(OperationReader& reader) { reader.AddOutput(reader.OnlyRealInput()); }

void Softmax::Run(const RunContext& context, Tensors inputs, Tensors outputs) const {
  const Tensor& x = inputs[0];
  const int64_t size = x.plane(), blocks = (size + kSoftmaxBlock - 1) / kSoftmaxBlock;
  const auto run = [&](int64_t begin, int64_t end) {
    for (int64_t item = begin; item < end; ++item) {
      const int64_t first = item % blocks * kSoftmaxBlock, image = item / blocks;
      const int count = static_cast<int>(std::min<int64_t>(kSoftmaxBlock, size - first));
      context.kernels.planes.softmax(x.f32() + image * x.image() + first, size, x.channels, count,
                                     outputs[0].f32() + image * outputs[0].image() + first);
    }
  };
  context.pool.ParallelFor(0, x.batch * blocks, Grain(int64_t{kSoftmaxBlock} * x.channels), run);
}

void Softmax::RunReference(const RunContext& context, Tensors inputs, Tensors outputs) const {
  const Tensor& x = inputs[0];
  const int64_t size = x.plane();
  context.pool.ParallelFor(0, x.batch * size, Grain(x.channels), [&](int64_t begin, int64_t end) {
    for (int64_t pixel = begin; pixel < end; ++pixel) {
      const float* from = x.f32() + pixel / size * x.image() + pixel % size;
      float* to = outputs[0].f32() + (from - x.f32());
      float largest = from[0];
      for (int c = 1; c < x.channels; ++c) largest = std::max(largest, from[c * size]);
      double sum = 0;
      for (int c = 0; c < x.channels; ++c) sum += std::exp(double{from[c * size]} - largest);
      for (int c = 0; c < x.channels; ++c) {
        to[c * size] = static_cast<float>(std::exp(double{from[c * size]} - largest) / sum);
      }
    }
  });
}

}  // namespace bdc
