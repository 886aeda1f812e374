#pragma once

#include "ops/operation.h"
#include "ops/operation_reader.h"

namespace bdc {

/// Sum of n tensors of equal shape, times `factor` (1 = add, 1/n = average).
class Sum : public Operation {
 public:
  enum class Kind { kAdd, kAverage };
  Sum(OperationReader& reader, Kind kind);
  void Run(const RunContext& context, Tensors inputs, Tensors outputs) const override;
  float factor() const { return factor_; }

 private:
  float factor_;
};

/// y = x · gate, gate [N,C,1,1].
class ChannelGate : public Operation {
 public:
  explicit ChannelGate(OperationReader& reader);
  void Run(const RunContext& context, Tensors inputs, Tensors outputs) const override;
};

/// y = x + offset, offset [N,C,1,1].
class ChannelOffset : public Operation {
 public:
  explicit ChannelOffset(OperationReader& reader);
  void Run(const RunContext& context, Tensors inputs, Tensors outputs) const override;
};

}  // namespace bdc
