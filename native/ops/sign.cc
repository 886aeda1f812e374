#include "ops/sign.h"

#include <algorithm>

#include "ops/planes.h"

namespace bdc {

Sign::Sign(OperationReader& reader) {
  TensorSpec output = reader.OnlyRealInput();
  threshold_ = reader.Thresholds("threshold", {output.channels});
  direction_ = reader.Directions("direction", {output.channels});
  output.type = ElementType::kBits;
  reader.AddOutput(output);
}

PlacedSign PlacedSign::Within(int first, int count) const {
  const int begin = std::max(first_channel, first);
  const int end = std::min(first_channel + channels, first + count);
  return {sign, begin - first, first_threshold + begin - first_channel, std::max(0, end - begin)};
}

void Sign::Load(EngineMode, const KernelSet&) {
  threshold_.Load();
  direction_.Load();
}

void Sign::Run(const RunContext& context, Tensors inputs, Tensors outputs) const {
  const Tensor& x = inputs[0];
  const int64_t image_words = x.plane() * WordsOf(x.channels);
  const auto pack = [&](int64_t image, int64_t begin, int64_t end) {
    const PackSignsArgs args{.input = x.f32() + image * x.image(),
                             .threshold = threshold_.data(),
                             .direction = direction_.data(),
                             .output = outputs[0].bits() + image * image_words,
                             .channels = x.channels,
                             .height = x.height,
                             .width = x.width};
    context.kernels.pack_signs(args, static_cast<int>(begin), static_cast<int>(end));
  };
  ForEachImageRow(context, x.batch, x.height, int64_t{x.channels} * x.width, pack);
}

void Sign::RunReference(const RunContext& context, Tensors inputs, Tensors outputs) const {
  const Tensor& x = inputs[0];
  const int64_t size = x.plane();
  const int words = WordsOf(x.channels);
  context.pool.ParallelFor(0, x.batch * size, Grain(x.channels), [&](int64_t begin, int64_t end) {
    for (int64_t pixel = begin; pixel < end; ++pixel) {
      uint64_t* bits = outputs[0].bits() + pixel * words;
      std::fill_n(bits, words, 0);
      const float* from = x.f32() + pixel / size * x.image() + pixel % size;
      for (int c = 0; c < x.channels; ++c) {
        const float value = from[c * size];
        const bool bit = direction_[c] > 0 ? value >= threshold_[c] : value <= threshold_[c];
        bits[c / 64] |= uint64_t{bit} << (c % 64);
      }
    }
  });
}

}  // namespace bdc
