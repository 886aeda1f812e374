#pragma once

#include "ops/sign.h"

namespace bdc {

/// Makes its output one channel plane after the other, each of which is still in the cache when signs are
/// taken of it.
class PlaneMaker : public SignMaker {
 public:
  void Load(EngineMode mode, const KernelSet& kernels) override { LoadSigns(mode, kernels); }

 protected:
  /// Takes the signs of plane `plane` (counted over the channels of all images) of outputs[0].
  void MakeSigns(const RunContext& context, int64_t plane, Tensors outputs) const;
};

}  // namespace bdc
