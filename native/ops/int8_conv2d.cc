#include "ops/int8_conv2d.h"

#include <algorithm>
#include <string>

#include "ops/plain_convolution.h"
#include "ops/planes.h"
#include "ops/quantization.h"

namespace bdc {
namespace {

Parameter<int8_t> ReadWeight(OperationReader& reader, const ConvGeometry& g) {
  // So many products of 127² fit an int32.
  constexpr int64_t kMostTaps = 1 << 17;
  if (g.Depth() > kMostTaps) {
    reader.Fail("MODEL_TENSOR_SHAPE", "tensors.weight",
                "at most " + std::to_string(kMostTaps) + " weights of int8 for an output channel",
                std::to_string(g.Depth()));
  }
  return reader.Int8s("weight", {g.out_channels, g.in_channels, g.kernel_h, g.kernel_w});
}

}  // namespace

Int8Conv2d::Int8Conv2d(OperationReader& reader)
    : RealConvolution(reader),
      weight_(ReadWeight(reader, geometry())),
      scale_(reader.Floats("scale", {geometry().out_channels})),
      activation_scale_(ReadActivationScale(reader)),
      dense_(geometry(), InputFactor()) {
  dense_.Check(reader);
  ReadBias(reader);
  cost = {Arithmetic::kInt8, geometry().Macs(), reader.parameters(), 0};
}

void Int8Conv2d::JoinWeights(const RealConvolution& other) {
  const auto& joined = static_cast<const Int8Conv2d&>(other);
  weight_.Append(joined.weight_);
  scale_.Append(joined.scale_);
  dense_ = DenseConvolution<int32_t>(geometry(), InputFactor());
}

std::vector<int32_t> Int8Conv2d::WeightWords(const ConvKernel<int32_t>& kernel) const {
  const ConvGeometry& g = geometry();
  const int64_t window = int64_t{g.kernel_h} * g.kernel_w;
  const int planes = kernel.WordsOf(g.in_channels), bits = 32 / kernel.channels;
  const uint32_t mask = (uint32_t{1} << bits) - 1;
  std::vector<int32_t> words(g.out_channels * window * planes);
  for (int64_t o = 0; o < g.out_channels; ++o) {
    for (int64_t i = 0; i < g.in_channels; ++i) {
      for (int64_t tap = 0; tap < window; ++tap) {
        const auto value = static_cast<uint32_t>(weight_[(o * g.in_channels + i) * window + tap]) & mask;
        words[(o * window + tap) * planes + i / kernel.channels] |=
            static_cast<int32_t>(value << i % kernel.channels * bits);
      }
    }
  }
  return words;
}

void Int8Conv2d::Load(EngineMode mode, const KernelSet& kernels) {
  weight_.Load();
  scale_.Load();
  LoadBias();
  LoadActivation(mode, kernels);
  const ConvGeometry& g = geometry();
  sum_scale_.clear();
  for (int o = 0; o < g.out_channels; ++o) sum_scale_.push_back(scale_[o] * activation_scale_);
  sum_bias_.assign(g.out_channels, -0.0f);  // x + −0 is x, whatever x
  if (bias().data() != nullptr) std::copy_n(bias().data(), g.out_channels, sum_bias_.begin());
  if (mode == EngineMode::kReference) return;
  const ConvKernel<int32_t>* tiles = kernels.conv_i8_tiles;
  bool fills_tiles = tiles != nullptr && tiles->WordsOf(g.in_channels) % tiles->group == 0;
  int spare = 0;
  if (fills_tiles) {
    // The last tile's other channels cost as much as real ones; half of all is still far less than without.
    spare = (tiles->rows - g.out_channels % tiles->rows) % tiles->rows;
    const bool can_drop = is_bare() && epilogue().quantized_factor == 0.0f;
    fills_tiles = spare == 0 || (can_drop && spare <= g.out_channels);
  }
  if (!fills_tiles) spare = 0;
  const ConvKernel<int32_t>& kernel = fills_tiles ? *tiles : *kernels.conv_i8;
  dense_.Load(WeightWords(kernel).data(), kernel, spare);
  sum_scale_.resize(g.out_channels + spare);
  sum_bias_.resize(g.out_channels + spare);
  start_.clear();
  if (kernel.input_offset != 0) {
    for (int64_t o = 0; o < g.out_channels; ++o) {
      int32_t sum = 0;
      for (int64_t i = 0; i < g.Depth(); ++i) sum += weight_[o * g.Depth() + i];
      start_.push_back(-kernel.input_offset * sum);
    }
  }
  weight_ = {};
}

/// The quantised input.
int64_t Int8Conv2d::ReferenceScratchBytes() const {
  const ConvGeometry& g = geometry();
  return int64_t{g.images} * g.in_channels * g.in_height * g.in_width;
}

ConvEpilogue Int8Conv2d::Int8Epilogue() const {
  ConvEpilogue steps = epilogue();
  steps.scale = sum_scale_.data();
  steps.bias = sum_bias_.data();
  return steps;
}

void Int8Conv2d::Run(const RunContext& context, Tensors inputs, Tensors outputs) const {
  dense_.Run(context, Start(), Int8Epilogue(), inputs[0], ResidualOf(inputs), outputs);
}

void Int8Conv2d::RunPixels(const RunContext& context, const Tensor& x, int64_t first, int count, float* y,
                           std::byte* scratch) const {
  dense_.RunPixels(context, Start(), Int8Epilogue(), {x, first, count}, y, scratch);
}

/// As docs/model-format.md states it: the same bits as the kernels give.
void Int8Conv2d::RunReference(const RunContext& context, Tensors inputs, Tensors outputs) const {
  const ConvGeometry& g = geometry();
  const Tensor& x = inputs[0];
  const Tensor& y = outputs[0];
  auto* const quantized = reinterpret_cast<int8_t*>(context.scratch);
  ForEachPlane(context, int64_t{x.batch} * x.channels, x.plane(), [&](int64_t plane) {
    for (int64_t i = plane * x.plane(); i < (plane + 1) * x.plane(); ++i) {
      quantized[i] = static_cast<int8_t>(Quantized(x.f32()[i], InputFactor()));
    }
  });
  ForEachPlane(context, int64_t{y.batch} * y.channels, g.Columns() * g.Depth(), [&](int64_t plane) {
    const int64_t o = plane % y.channels;
    const int8_t* image = quantized + plane / y.channels * x.image();
    float* out = y.f32() + plane * y.plane();
    ForEachWindow(g, [&](const auto& for_each_tap) {
      int32_t sum = 0;
      for_each_tap([&](int ky, int kx, int64_t pixel) {
        for (int64_t i = 0; i < g.in_channels; ++i) {
          const int8_t w = weight_[((o * g.in_channels + i) * g.kernel_h + ky) * g.kernel_w + kx];
          sum += w * image[i * x.plane() + pixel];
        }
      });
      const float scaled = sum_scale_[o] * static_cast<float>(sum);
      *out++ = bias().data() ? scaled + bias()[o] : scaled;
    });
  });
}

}  // namespace bdc
