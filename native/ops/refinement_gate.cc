#include "ops/refinement_gate.h"

#include <utility>

#include "ops/planes.h"
#include "runtime/aligned_buffer.h"

namespace bdc {

RefinementGate::RefinementGate(std::unique_ptr<BinaryWeightConv2d> squeeze,
                               std::unique_ptr<BinaryWeightConv2d> expand)
    : squeeze_(std::move(squeeze)), expand_(std::move(expand)) {
  cost = squeeze_->cost;
  cost.macs += expand_->cost.macs;
  cost.parameters += expand_->cost.parameters;
  cost.binary_parameters += expand_->cost.binary_parameters;
}

void RefinementGate::Load(EngineMode mode, const KernelSet& kernels) {
  squeeze_->Load(mode, kernels);
  expand_->Load(mode, kernels);
}

int64_t RefinementGate::ThreadScratchBytes() const {
  return AlignedBytes(int64_t{squeeze_->geometry().out_channels} * static_cast<int64_t>(sizeof(float)));
}

void RefinementGate::Run(const RunContext& context, Tensors inputs, Tensors outputs) const {
  const Tensor& x = inputs[0];
  const Tensor& y = outputs[0];
  const PlaneKernels& planes = context.kernels.planes;
  ForEachItem(context, x.batch, [&](int64_t slot, int64_t image) {
    auto* const squeezed = reinterpret_cast<float*>(context.ThreadScratch(slot));
    float* const gates = y.f32() + image * y.image();
    squeeze_->RunPixel(planes, x.f32() + image * x.image(), squeezed);
    expand_->RunPixel(planes, squeezed, gates);
    planes.sigmoid(gates, y.channels, gates);
  });
}

}  // namespace bdc
