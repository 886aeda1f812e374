#pragma once

#include <memory>

#include "ops/convolution.h"
#include "ops/occupancy_argmax.h"

namespace bdc {

/// A 1×1 convolution of real or int8 weights and the argmax of its logits, which never reach memory.
class ConvArgmax : public Operation {
 public:
  /// A convolution that takes pixels.
  ConvArgmax(std::unique_ptr<RealConvolution> convolution, std::unique_ptr<OccupancyArgmax> argmax);

  float InputFactor() const override { return convolution_->InputFactor(); }
  void Load(EngineMode mode, const KernelSet& kernels) override;
  int64_t ThreadScratchBytes() const override;
  void Run(const RunContext& context, Tensors inputs, Tensors outputs) const override;

 private:
  std::unique_ptr<RealConvolution> convolution_;
  std::unique_ptr<OccupancyArgmax> argmax_;
  int64_t logit_bytes_;  // of a slot's scratch; the convolution's follows
};

}  // namespace bdc
