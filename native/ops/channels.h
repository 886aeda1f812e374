#pragma once

#include <vector>

#include "ops/operation.h"
#include "ops/operation_reader.h"

namespace bdc {

/// Joins tensors along channels; the same one may come twice.
class Concat : public Operation {
 public:
  explicit Concat(OperationReader& reader);
  void Run(const RunContext& context, Tensors inputs, Tensors outputs) const override;
};

/// Cuts a tensor along channels.
class Split : public Operation {
 public:
  explicit Split(OperationReader& reader);
  void Run(const RunContext& context, Tensors inputs, Tensors outputs) const override;
};

}  // namespace bdc
