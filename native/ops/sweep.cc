#include "ops/sweep.h"

#include <algorithm>

namespace bdc {
namespace {

void* ImageOf(const Tensor& tensor, int64_t image) { return tensor.at(image * tensor.image()); }

}  // namespace

InputStream StreamIn(const Tensor& tensor, int64_t image) {
  return {ImageOf(tensor, image), tensor.stream_type(), tensor.plane()};
}

OutputStream StreamOut(const Tensor& tensor, int64_t image) {
  return {ImageOf(tensor, image), tensor.stream_type(), tensor.plane()};
}

uint64_t* SignsOf(const Tensor& tensor, int64_t image) {
  return tensor.bits() + image * tensor.whole_channels * SignPlaneWords(tensor.plane());
}

void Sweep::Load(EngineMode mode, const KernelSet& kernels) {
  LoadSigns(mode, kernels);
  if (norm_) norm_->Load(mode, kernels);
}

void Sweep::Run(const RunContext& context, Tensors inputs, Tensors outputs) const {
  // Each stretch between two borders of signs; most often there is one.
  int first = 0;
  while (first < inputs[0].channels) {
    int end = inputs[0].channels;
    for (const PlacedSign& placed : signs()) {
      for (int border : {placed.first_channel, placed.first_channel + placed.channels}) {
        if (border > first) end = std::min(end, border);
      }
    }
    RunSection(context, {first, end - first}, inputs, outputs);
    first = end;
  }
}

void Sweep::RunSection(const RunContext& context, const Section& section, Tensors inputs,
                       Tensors outputs) const {
  const auto range_of = [&](const Tensor& tensor) { return tensor.Channels(section.first, section.count); };
  const Tensor x = range_of(inputs[0]);
  ForEachSweepRange(context, x, [&](int64_t image, const BlockRange& range) {
    SweepArgs args{StreamIn(x, image), x.plane(), x.channels, {}};
    if (norm_) {
      args.epilogue.scale = norm_->scale() + section.first;
      args.epilogue.bias = norm_->bias() + section.first;
    }
    if (parts_.gate) {
      const Tensor gate = range_of(inputs[1]);
      args.epilogue.gate = gate.f32() + image * gate.image();
    }
    if (parts_.residual) args.epilogue.residual = StreamIn(range_of(inputs[parts_.ResidualAt()]), image);
    if (parts_.addend) args.epilogue.addend = StreamIn(range_of(inputs[parts_.AddendAt()]), image);
    args.epilogue.factor = parts_.factor;
    // Each sign compares the same values, before a rounding of the stream; that may be where x is, and comes
    // with the last one.
    bool has_sign = false;
    for (size_t i = 0; i < signs().size(); ++i) {
      const PlacedSign placed = signs()[i].Within(section.first, section.count);
      if (placed.channels == 0) continue;
      if (has_sign) context.kernels.sweep(args, range);
      const Tensor& planes = outputs[i + (parts_.stream ? 1 : 0)];
      const int first_plane = placed.first_threshold - signs()[i].first_threshold;
      args.epilogue.signs = SignsOf(planes.Channels(first_plane, placed.channels), image);
      args.epilogue.threshold = placed.sign->threshold() + placed.first_threshold;
      args.epilogue.direction = placed.sign->direction() + placed.first_threshold;
      has_sign = true;
    }
    if (parts_.quantized_factor != 0.0f) {
      const Tensor& whole = outputs[0].type == ElementType::kInt8 ? outputs[0] : outputs.back();
      const Tensor q = range_of(whole);
      args.epilogue.quantized = q.s8() + image * q.image();
      args.epilogue.quantized_factor = parts_.quantized_factor;
    }
    if (parts_.stream && outputs[0].type != ElementType::kInt8) {
      args.epilogue.stream = StreamOut(range_of(outputs[0]), image);
    }
    context.kernels.sweep(args, range);
  });
}

}  // namespace bdc
