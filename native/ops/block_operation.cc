#include "ops/block_operation.h"

#include <algorithm>

#include "ops/sweep.h"

namespace bdc {

BlockEpilogue BlockOperation::EpilogueFor(int64_t image, Tensors inputs, Tensors outputs,
                                          std::byte* sums) const {
  const Tensor& y = outputs[0];
  BlockEpilogue epilogue;
  if (has_residual_) epilogue.residual = StreamIn(inputs[1], image);
  if (y.type != ElementType::kInt8) epilogue.stream = StreamOut(y, image);
  for (const Tensor& q : outputs) {
    if (q.type != ElementType::kInt8) continue;
    epilogue.quantized = q.s8() + image * q.image();
    epilogue.quantized_factor = quantized_factor_;
  }
  if (has_mean()) {
    epilogue.block_sums = reinterpret_cast<float*>(sums) + image * BlocksOf(y.plane()) * y.channels;
  }
  if (sign_) {
    epilogue.signs = SignsOf(outputs[1], image);
    epilogue.threshold = sign_->threshold();
    epilogue.direction = sign_->direction();
  }
  return epilogue;
}

void BlockOperation::FinishMeans(const std::byte* sums, Tensors outputs) const {
  if (!has_mean()) return;
  const Tensor& y = outputs[0];
  const int64_t blocks = BlocksOf(y.plane());
  const float* block_sums = reinterpret_cast<const float*>(sums);
  for (int64_t image = 0; image < y.batch; ++image, block_sums += blocks * y.channels) {
    float* const means = outputs[1].f32() + image * outputs[1].image();
    constexpr int kTogether = 8;
    for (int first = 0; first < y.channels; first += kTogether) {
      const int count = std::min(kTogether, y.channels - first);
      double totals[kTogether] = {};
      for (int64_t block = 0; block < blocks; ++block) {
        const float* const parts = block_sums + block * y.channels + first;
        for (int i = 0; i < count; ++i) totals[i] += parts[i];
      }
      for (int i = 0; i < count; ++i) {
        means[first + i] = static_cast<float>(totals[i] / static_cast<double>(y.plane()));
      }
    }
  }
}

}  // namespace bdc
