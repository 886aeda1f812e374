#include "ops/convolution.h"

#include <tuple>
#include <typeinfo>
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

ConvGeometry ReadConv2dGeometry(OperationReader& reader) {
  reader.OnlyRealInput();
  const auto shape = reader.TensorShape("weight", 4);
  const auto dilation = reader.Has("dilation") ? reader.IntPair("dilation", 1, 255) : std::pair(1, 1);
  return ReadConvGeometry(reader, shape[0], shape[2], shape[3], dilation);
}

Parameter<float> ReadWeight(OperationReader& reader, const ConvGeometry& g) {
  return reader.Floats("weight", {g.out_channels, g.in_channels, g.kernel_h, g.kernel_w});
}

}  // namespace

RealConvolution::RealConvolution(OperationReader& reader) : geometry_(ReadConv2dGeometry(reader)) {}

void RealConvolution::ReadBias(OperationReader& reader) {
  if (reader.HasTensor("bias")) bias_ = reader.Floats("bias", {geometry_.out_channels});
}

bool RealConvolution::CanJoin(const RealConvolution& other) const {
  ConvGeometry same = other.geometry_;
  same.out_channels = geometry_.out_channels;
  const auto is_single = [](const RealConvolution& c) { return !c.has_activation() && !c.has_residual_; };
  return is_single(*this) && is_single(other) && typeid(*this) == typeid(other) && same == geometry_ &&
         InputFactor() == other.InputFactor() && bias_.is_there() == other.bias_.is_there() &&
         has_relu_ == other.has_relu_;
}

void RealConvolution::Join(const RealConvolution& other) {
  is_joined_ = true;
  geometry_.out_channels += other.geometry_.out_channels;
  cost.macs += other.cost.macs;
  cost.parameters += other.cost.parameters;
  bias_.Append(other.bias_);
  JoinWeights(other);
}

Conv2d::Conv2d(OperationReader& reader)
    : RealConvolution(reader), weight_(ReadWeight(reader, geometry())), dense_(geometry()) {
  dense_.Check(reader);
  ReadBias(reader);
  cost = {Arithmetic::kReal, geometry().Macs(), reader.parameters(), 0};
}

void Conv2d::JoinWeights(const RealConvolution& other) {
  weight_.Append(static_cast<const Conv2d&>(other).weight_);
  dense_ = DenseConvolution<float>(geometry());
}

void Conv2d::Load(EngineMode mode, const KernelSet& kernels) {
  weight_.Load();
  LoadBias();
  LoadActivation(mode, kernels);
  if (mode == EngineMode::kReference) return;
  dense_.Load(weight_.data(), *kernels.conv_f32);
  weight_ = {};
}

void Conv2d::Run(const RunContext& context, Tensors inputs, Tensors outputs) const {
  dense_.Run(context, bias().data(), epilogue(), inputs[0], ResidualOf(inputs), outputs);
}

void Conv2d::RunPixels(const RunContext& context, const Tensor& x, int64_t first, int count, float* y,
                       std::byte* scratch) const {
  dense_.RunPixels(context, bias().data(), epilogue(), {x, first, count}, y, scratch);
}

void Conv2d::RunReference(const RunContext& context, Tensors inputs, Tensors outputs) const {
  const ConvGeometry& g = geometry();
  const Parameter<float>& b = bias();
  PlainConvolution(
      context, g, inputs[0], outputs[0],
      [&](int64_t o, int i, int ky, int kx) {
        return weight_[((o * g.in_channels + i) * g.kernel_h + ky) * g.kernel_w + kx];
      },
      [&](int o, double sum) { return static_cast<float>(b.data() ? sum + double{b[o]} : sum); });
}

}  // namespace bdc
