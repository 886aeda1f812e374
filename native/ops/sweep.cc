#include "ops/sweep.h"

namespace bdc {
namespace {

StreamType TypeOf(const Tensor& tensor) {
  return tensor.type == ElementType::kFloat16 ? StreamType::kFloat16 : StreamType::kFloat32;
}

std::byte* ImageOf(const Tensor& tensor, int64_t image) {
  const int64_t bytes = tensor.type == ElementType::kFloat16 ? 2 : 4;
  return static_cast<std::byte*>(tensor.data) + image * tensor.image() * bytes;
}

}  // namespace

InputStream StreamIn(const Tensor& tensor, int64_t image) {
  return {ImageOf(tensor, image), TypeOf(tensor), tensor.plane()};
}

OutputStream StreamOut(const Tensor& tensor, int64_t image) {
  return {ImageOf(tensor, image), TypeOf(tensor), tensor.plane()};
}

uint64_t* SignsOf(const Tensor& tensor, int64_t image) {
  return tensor.bits() + image * tensor.channels * SignPlaneWords(tensor.plane());
}

void Sweep::Load(EngineMode mode, const KernelSet& kernels) {
  for (const auto& sign : signs_) sign->Load(mode, kernels);
}

void Sweep::Run(const RunContext& context, Tensors inputs, Tensors outputs) const {
  const Tensor& x = inputs[0];
  const size_t first_sign = parts_.stream ? 1 : 0;
  ForEachSweepRange(context, x, [&](int64_t image, const BlockRange& range) {
    SweepArgs args{StreamIn(x, image), x.plane(), x.channels, {}};
    const auto add_sign = [&](size_t i) {
      args.epilogue.signs = SignsOf(outputs[first_sign + i], image);
      args.epilogue.threshold = signs_[i]->threshold();
      args.epilogue.direction = signs_[i]->direction();
    };
    if (parts_.gate) args.epilogue.gate = inputs[1].f32() + image * x.channels;
    if (parts_.residual) args.epilogue.residual = StreamIn(inputs[parts_.gate ? 2 : 1], image);
    if (parts_.stream) args.epilogue.stream = StreamOut(outputs[0], image);
    if (!signs_.empty()) add_sign(0);
    context.kernels.sweep(args, range);
    // Further signs compare the same values again, before a rounding of the stream as the first one does.
    args.epilogue.stream = {};
    for (size_t i = 1; i < signs_.size(); ++i) {
      add_sign(i);
      context.kernels.sweep(args, range);
    }
  });
}

}  // namespace bdc
