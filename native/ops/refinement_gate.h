#pragma once

#include <memory>

#include "ops/binary_conv2d.h"
#include "ops/operation.h"

namespace bdc {

/// A refinement branch behind its mean, [N,C,1,1] → gates [N,C,1,1]: 1×1 convolution of binary weights → its
/// activation → another one → sigmoid. Vectors of a few hundred values: what they cost is to be called.
class RefinementGate : public Operation {
 public:
  /// Whether these are two such convolutions.
  static bool Takes(const BinaryWeightConv2d& squeeze, const BinaryWeightConv2d& expand) {
    return squeeze.is_matrix() && expand.is_matrix();
  }
  RefinementGate(std::unique_ptr<BinaryWeightConv2d> squeeze, std::unique_ptr<BinaryWeightConv2d> expand);

  void Load(EngineMode mode, const KernelSet& kernels) override;
  int64_t ThreadScratchBytes() const override;
  void Run(const RunContext& context, Tensors inputs, Tensors outputs) const override;

 private:
  std::unique_ptr<BinaryWeightConv2d> squeeze_, expand_;
};

}  // namespace bdc
