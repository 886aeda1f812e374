#include "ops/activations.h"

#include <cmath>

#include "ops/planes.h"

namespace bdc {
namespace {

/// The output has the shape of the only input; returns [C].
std::vector<int64_t> SameShape(OperationReader& reader) {
  const TensorSpec& input = reader.OnlyRealInput();
  reader.AddOutput(input);
  return {input.channels};
}

}  // namespace

RPReLU::RPReLU(OperationReader& reader) {
  const auto channels = SameShape(reader);
  bias_in_ = reader.Floats("bias_in", channels);
  slope_ = reader.Floats("slope", channels);
  bias_out_ = reader.Floats("bias_out", channels);
}

void RPReLU::Load(EngineMode, const KernelSet&) {
  bias_in_.Load();
  slope_.Load();
  bias_out_.Load();
}

void RPReLU::Run(const RunContext& context, Tensors inputs, Tensors outputs) const {
  MapPlanes(context, inputs[0], outputs[0], [this](int64_t channel) {
    return [bias_in = bias_in_[channel], slope = slope_[channel], bias_out = bias_out_[channel]](float x) {
      const float t = x + bias_in;
      return (t > 0 ? t : slope * t) + bias_out;
    };
  });
}

PReLU::PReLU(OperationReader& reader) : slope_(reader.Floats("slope", SameShape(reader))) {}

void PReLU::Load(EngineMode, const KernelSet&) { slope_.Load(); }

void PReLU::Run(const RunContext& context, Tensors inputs, Tensors outputs) const {
  MapPlanes(context, inputs[0], outputs[0], [this](int64_t channel) {
    return [slope = slope_[channel]](float x) { return x > 0 ? x : slope * x; };
  });
}

BatchNorm::BatchNorm(OperationReader& reader) {
  const auto channels = SameShape(reader);
  scale_ = reader.Floats("scale", channels);
  bias_ = reader.Floats("bias", channels);
}

void BatchNorm::Load(EngineMode, const KernelSet&) {
  scale_.Load();
  bias_.Load();
}

void BatchNorm::Run(const RunContext& context, Tensors inputs, Tensors outputs) const {
  MapPlanes(context, inputs[0], outputs[0], [this](int64_t channel) {
    return [scale = scale_[channel], bias = bias_[channel]](float x) { return scale * x + bias; };
  });
}

ReLU::ReLU(OperationReader& reader) { SameShape(reader); }

void ReLU::Run(const RunContext& context, Tensors inputs, Tensors outputs) const {
  MapPlanes(context, inputs[0], outputs[0], [](int64_t) { return [](float x) { return x < 0 ? 0.0f : x; }; });
}

Sigmoid::Sigmoid(OperationReader& reader) { SameShape(reader); }

void Sigmoid::Run(const RunContext& context, Tensors inputs, Tensors outputs) const {
  const Tensor& x = inputs[0];
  ForEachPlane(context, int64_t{x.batch} * x.channels, x.plane(), [&](int64_t plane) {
    context.kernels.planes.sigmoid(x.f32() + x.PlaneStart(plane), x.plane(),
                                   outputs[0].f32() + outputs[0].PlaneStart(plane));
  });
}

void Sigmoid::RunReference(const RunContext& context, Tensors inputs, Tensors outputs) const {
  MapPlanes(context, inputs[0], outputs[0],
            [](int64_t) { return [](float x) { return 1.0f / (1.0f + std::exp(-x)); }; });
}

Softplus::Softplus(OperationReader& reader) { SameShape(reader); }

void Softplus::Run(const RunContext& context, Tensors inputs, Tensors outputs) const {
  const Tensor& x = inputs[0];
  ForEachPlane(context, int64_t{x.batch} * x.channels, x.plane(), [&](int64_t plane) {
    context.kernels.planes.softplus(x.f32() + x.PlaneStart(plane), x.plane(),
                                    outputs[0].f32() + outputs[0].PlaneStart(plane));
  });
}

void Softplus::RunReference(const RunContext& context, Tensors inputs, Tensors outputs) const {
  MapPlanes(context, inputs[0], outputs[0], [](int64_t) {
    return [](float x) { return (x < 0 ? 0.0f : x) + std::log1p(std::exp(-std::fabs(x))); };
  });
}

}  // namespace bdc
