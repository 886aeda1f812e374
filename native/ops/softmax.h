#pragma once

#include "ops/operation.h"
#include "ops/operation_reader.h"

namespace bdc {

/// Softmax along channels.
class Softmax : public Operation {
 public:
  explicit Softmax(OperationReader& reader);
  void Run(const RunContext& context, Tensors inputs, Tensors outputs) const override;
  void RunReference(const RunContext& context, Tensors inputs, Tensors outputs) const override;
};

}  // namespace bdc
