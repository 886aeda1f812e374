#pragma once

#include "ops/operation.h"
#include "ops/operation_reader.h"

namespace bdc {

/// One bit a value: x ≥ threshold where the channel's direction is +1, x ≤ threshold where it is −1; NaN
/// gives 0.
class Sign : public Operation {
 public:
  explicit Sign(OperationReader& reader);
  void Load(EngineMode mode, const KernelSet& kernels) override;
  void Run(const RunContext& context, Tensors inputs, Tensors outputs) const override;
  void RunReference(const RunContext& context, Tensors inputs, Tensors outputs) const override;
  /// Valid once loaded.
  const float* threshold() const { return threshold_.data(); }
  const int8_t* direction() const { return direction_.data(); }

 private:
  Parameter<float> threshold_;
  Parameter<int8_t> direction_;
};

}  // namespace bdc
