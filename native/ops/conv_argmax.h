#pragma once

#include <memory>

#include "ops/convolution.h"
#include "ops/occupancy_argmax.h"

namespace bdc {

/// A real 1×1 convolution and the argmax of its logits, which never reach memory.
class ConvArgmax : public Operation {
 public:
  ConvArgmax(std::unique_ptr<Conv2d> convolution, std::unique_ptr<OccupancyArgmax> argmax);
  static bool Takes(const Conv2d& convolution) {
    return convolution.dense().ReadsInPlace() && convolution.is_bare();
  }

  void Load(EngineMode mode, const KernelSet& kernels) override;
  int64_t ThreadScratchBytes() const override;
  void Run(const RunContext& context, Tensors inputs, Tensors outputs) const override;

 private:
  std::unique_ptr<Conv2d> convolution_;
  std::unique_ptr<OccupancyArgmax> argmax_;
  int64_t plane_bytes_, logit_bytes_, sum_bytes_;  // of a slot's scratch, in that order
};

}  // namespace bdc
