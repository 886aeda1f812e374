#include "ops/softmax.h"

#include <algorithm>
#include <cmath>

#include "kernels/vector-math.h"
#include "ops/planes.h"

namespace bdc {

Softmax::Softmax(OperationReader& reader) { reader.AddOutput(reader.OnlyRealInput()); }

void Softmax::Run(const RunContext& context, Tensors inputs, Tensors outputs) const {
  constexpr int64_t kBlock = 64;  // pixels that are done together, channel by channel
  const Tensor& x = inputs[0];
  const int64_t size = x.plane(), blocks = (size + kBlock - 1) / kBlock;
  context.pool.ParallelFor(0, x.batch * blocks, Grain(kBlock * x.channels), [&](int64_t begin, int64_t end) {
    for (int64_t item = begin; item < end; ++item) {
      const int64_t image = item / blocks, first = item % blocks * kBlock;
      const int64_t count = std::min(kBlock, size - first);
      const float* from = x.f32() + image * x.image() + first;
      float* to = outputs[0].f32() + image * outputs[0].image() + first;
      float largest[kBlock], sum[kBlock] = {};
      std::copy_n(from, count, largest);
      for (int c = 1; c < x.channels; ++c) {
        const float* row = from + c * size;
        for (int64_t i = 0; i < count; ++i) {
          const float before = largest[i], value = row[i];
          largest[i] = before < value ? value : before;
        }
      }
      for (int c = 0; c < x.channels; ++c) {
        for (int64_t i = 0; i < count; ++i) {
          const float e = FastExp(from[c * size + i] - largest[i]);
          to[c * size + i] = e;
          sum[i] += e;
        }
      }
      for (int64_t i = 0; i < count; ++i) sum[i] = 1.0f / sum[i];
      for (int c = 0; c < x.channels; ++c) {
        for (int64_t i = 0; i < count; ++i) to[c * size + i] *= sum[i];
      }
    }
  });
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
