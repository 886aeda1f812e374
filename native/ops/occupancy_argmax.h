#pragma once

#include "ops/operation.h"
#include "ops/operation_reader.h"

namespace bdc {

/// [1,nz·K,ny,nx] → labels u8 and confidence f32 [1,nx,ny,nz]: the largest logit's class (the lowest index
/// wins a tie) and its softmax probability.
class OccupancyArgmax : public Operation {
 public:
  explicit OccupancyArgmax(OperationReader& reader);
  void Run(const RunContext& context, Tensors inputs, Tensors outputs) const override;
  void RunReference(const RunContext& context, Tensors inputs, Tensors outputs) const override;

 private:
  int classes_, levels_;
};

}  // namespace bdc
