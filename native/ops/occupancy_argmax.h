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
  /// Cells [first, first + count) of the BEV plane (row · width + column), whose logits of one channel lie
  /// side by side and `plane` values from those of the next.
  void RunCells(const KernelSet& kernels, const float* logits, int64_t plane, int64_t first, int count,
                Tensors outputs) const;

 private:
  int classes_, levels_;
};

}  // namespace bdc
