#include "ops/sums.h"

#include "ops/planes.h"

namespace bdc {
Sum::Sum(OperationReader& reader, Kind kind) {
  reader.ExpectInputs(1, 1024);
  const TensorSpec& first = reader.Input(0, ElementType::kFloat32);
  for (size_t i = 1; i < reader.input_count(); ++i) {
    const TensorSpec& other = reader.Input(i, ElementType::kFloat32);
    if (other != first) {
      reader.Fail("MODEL_SHAPE", "inputs[" + std::to_string(i) + "]",
                  "the shape of inputs[0], " + ToString(first), ToString(other));
    }
  }
  factor_ = kind == Kind::kAdd ? 1.0f : 1.0f / static_cast<float>(reader.input_count());
  reader.AddOutput(first);
}

void Sum::Run(const RunContext& context, Tensors inputs, Tensors outputs) const {
  const Tensor& y = outputs[0];
  const int64_t size = y.plane();
  ForEachPlane(context, int64_t{y.batch} * y.channels, size, [&](int64_t plane) {
    const auto values_of = [plane](const Tensor& x) { return x.f32() + x.PlaneStart(plane); };
    float* to = values_of(y);
    const float* a = values_of(inputs[0]);
    const float* b = inputs.size() > 1 ? values_of(inputs[1]) : nullptr;
    for (int64_t i = 0; i < size; ++i) to[i] = b ? a[i] + b[i] : a[i];
    for (size_t k = 2; k < inputs.size(); ++k) {
      const float* more = values_of(inputs[k]);
      for (int64_t i = 0; i < size; ++i) to[i] += more[i];
    }
    if (factor_ == 1.0f) return;
    for (int64_t i = 0; i < size; ++i) to[i] *= factor_;
  });
}

namespace {

/// x [N,C,H,W] and a second input [N,C,1,1] → [N,C,H,W].
void ReadPerChannel(OperationReader& reader) {
  reader.ExpectInputs(2, 2);
  const TensorSpec& x = reader.Input(0, ElementType::kFloat32);
  TensorSpec expected = x;
  expected.height = expected.width = 1;
  const TensorSpec& other = reader.Input(1, ElementType::kFloat32);
  if (other != expected) reader.Fail("MODEL_SHAPE", "inputs[1]", ToString(expected), ToString(other));
  reader.AddOutput(x);
}

/// y = function(x, value of x's channel)
template <typename Function>
void MapWithChannels(const RunContext& context, Tensors inputs, const Tensor& y, const Function& function) {
  const Tensor& x = inputs[0];
  const int64_t size = x.plane();
  ForEachPlane(context, int64_t{x.batch} * x.channels, size, [&](int64_t plane) {
    const float value = inputs[1].f32()[inputs[1].PlaneStart(plane)];
    const float* from = x.f32() + x.PlaneStart(plane);
    float* to = y.f32() + y.PlaneStart(plane);
    for (int64_t i = 0; i < size; ++i) to[i] = function(from[i], value);
  });
}

}  // namespace

ChannelGate::ChannelGate(OperationReader& reader) { ReadPerChannel(reader); }

void ChannelGate::Run(const RunContext& context, Tensors inputs, Tensors outputs) const {
  MapWithChannels(context, inputs, outputs[0], [](float x, float gate) { return x * gate; });
}

ChannelOffset::ChannelOffset(OperationReader& reader) { ReadPerChannel(reader); }

void ChannelOffset::Run(const RunContext& context, Tensors inputs, Tensors outputs) const {
  MapWithChannels(context, inputs, outputs[0], [](float x, float offset) { return x + offset; });
}

}  // namespace bdc
