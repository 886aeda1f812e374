#include "ops/convolution.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "ops/plain_convolution.h"

namespace bdc {
namespace {

int OutputSize(int input, int padding, int extent, int stride) {
  return (input + 2 * padding - extent) / stride + 1;
}

}  // namespace

ConvGeometry ReadConvGeometry(OperationReader& reader, int64_t out_channels, int64_t kernel_h,
                              int64_t kernel_w, std::pair<int, int> dilation) {
  TensorSpec spec = reader.Input(0);
  if (kernel_h > 255 || kernel_w > 255) {
    reader.Fail("MODEL_TENSOR_SHAPE", "tensors.weight", "a kernel of at most 255×255",
                std::to_string(kernel_h) + "×" + std::to_string(kernel_w));
  }
  ConvGeometry g{};
  g.images = spec.batch == TensorSpec::kPerCamera ? reader.max_cameras() : spec.batch;
  g.in_channels = spec.channels;
  g.in_height = spec.height;
  g.in_width = spec.width;
  g.out_channels = static_cast<int>(out_channels);
  g.kernel_h = static_cast<int>(kernel_h);
  g.kernel_w = static_cast<int>(kernel_w);
  std::tie(g.stride_h, g.stride_w) = reader.IntPair("stride", 1, 255);
  std::tie(g.pad_h, g.pad_w) = reader.IntPair("padding", 0, 255);
  std::tie(g.dilation_h, g.dilation_w) = dilation;
  const int extent_h = g.ExtentH(), extent_w = g.ExtentW();
  if (g.pad_h >= extent_h || g.pad_w >= extent_w) {
    reader.Fail("MODEL_ATTRIBUTE", "attributes.padding", "less than the kernel",
                std::to_string(g.pad_h) + ", " + std::to_string(g.pad_w));
  }
  if (g.in_height + 2 * g.pad_h < extent_h || g.in_width + 2 * g.pad_w < extent_w) {
    reader.Fail("MODEL_SHAPE", "input", "an image no smaller than the kernel",
                std::to_string(g.in_height) + "×" + std::to_string(g.in_width));
  }
  g.out_height = OutputSize(g.in_height, g.pad_h, extent_h, g.stride_h);
  g.out_width = OutputSize(g.in_width, g.pad_w, extent_w, g.stride_w);
  spec.type = ElementType::kFloat32;
  spec.channels = g.out_channels;
  spec.height = g.out_height;
  spec.width = g.out_width;
  reader.AddOutput(spec);
  return g;
}

namespace {

Parameter<float> ReadWeight(OperationReader& reader) {
  const int channels = reader.OnlyRealInput().channels;
  const auto shape = reader.TensorShape("weight", 4);
  return reader.Floats("weight", {shape[0], channels, shape[2], shape[3]});
}

}  // namespace

Parameter<float> ReadBias(OperationReader& reader) {
  if (!reader.HasTensor("bias")) return {};
  return reader.Floats("bias", {reader.TensorShape("weight", 4)[0]});
}

ConvGeometry ReadConv2dGeometry(OperationReader& reader) {
  reader.OnlyRealInput();
  const auto shape = reader.TensorShape("weight", 4);
  const auto dilation = reader.Has("dilation") ? reader.IntPair("dilation", 1, 255) : std::pair(1, 1);
  return ReadConvGeometry(reader, shape[0], shape[2], shape[3], dilation);
}

Conv2d::Conv2d(OperationReader& reader)
    : RealConvolution(ReadConv2dGeometry(reader)),
      weight_(ReadWeight(reader)),
      bias_(ReadBias(reader)),
      dense_(geometry()) {
  cost = {Arithmetic::kReal, geometry().Macs(), reader.parameters(), 0};
}

void Conv2d::Load(EngineMode mode, const KernelSet& kernels) {
  weight_.Load();
  bias_.Load();
  LoadActivation(mode, kernels);
  if (mode == EngineMode::kReference) return;
  dense_.Load(weight_.data(), *kernels.conv_f32);
  weight_ = {};
}

std::pair<Parameter<float>, Parameter<float>> Conv2d::TakeLoaded() {
  weight_.Load();
  bias_.Load();
  return {std::move(weight_), std::move(bias_)};
}

int64_t Conv2d::ScratchBytes(int threads) const { return dense_.ScratchBytes(threads); }

void Conv2d::Run(const RunContext& context, Tensors inputs, Tensors outputs) const {
  dense_.Run(context, bias_.data(), epilogue(), inputs[0], ResidualOf(inputs), outputs);
}

void Conv2d::RunReference(const RunContext& context, Tensors inputs, Tensors outputs) const {
  const ConvGeometry& g = geometry();
  PlainConvolution(
      context, g, inputs[0], outputs[0],
      [&](int64_t o, int i, int ky, int kx) {
        return weight_[((o * g.in_channels + i) * g.kernel_h + ky) * g.kernel_w + kx];
      },
      [&](int o, double sum) { return static_cast<float>(bias_.data() ? sum + double{bias_[o]} : sum); });
}

namespace {

ConvGeometry JoinGeometry(const std::vector<std::unique_ptr<Conv2d>>& parts) {
  ConvGeometry joined = parts[0]->geometry();
  joined.out_channels = 0;
  for (const auto& part : parts) joined.out_channels += part->geometry().out_channels;
  return joined;
}

}  // namespace

ConvGroup::ConvGroup(std::vector<std::unique_ptr<Conv2d>> parts)
    : parts_(std::move(parts)), dense_(JoinGeometry(parts_)) {
  cost.arithmetic = Arithmetic::kReal;
  for (const auto& part : parts_) {
    cost.macs += part->cost.macs;
    cost.parameters += part->cost.parameters;
  }
}

void ConvGroup::Load(EngineMode, const KernelSet& kernels) {
  const ConvGeometry g = JoinGeometry(parts_);
  AlignedBuffer<float> weight(g.out_channels * g.Depth());
  bias_ = AlignedBuffer<float>(g.out_channels);
  float* to = weight.data();
  float* bias = bias_.data();
  for (const auto& part : parts_) {
    const auto [part_weight, part_bias] = part->TakeLoaded();
    const int channels = part->geometry().out_channels;
    to = std::copy_n(part_weight.data(), channels * g.Depth(), to);
    bias =
        part_bias.data() ? std::copy_n(part_bias.data(), channels, bias) : std::fill_n(bias, channels, 0.0f);
  }
  dense_.Load(weight.data(), *kernels.conv_f32);
}

int64_t ConvGroup::ScratchBytes(int threads) const { return dense_.ScratchBytes(threads); }

void ConvGroup::Run(const RunContext& context, Tensors inputs, Tensors outputs) const {
  dense_.Run(context, bias_.data(), {.relu = parts_[0]->has_relu()}, inputs[0], nullptr, outputs);
}

}  // namespace bdc
