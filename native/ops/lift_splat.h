#pragma once

#include <memory>
#include <vector>

#include "ops/operation.h"
#include "ops/operation_reader.h"
#include "ops/projection.h"

namespace bdc {

/// Spreads each feature cell's context along its ray, weighted by depth, and sums it into the BEV grid.
class LiftSplat : public Operation {
 public:
  explicit LiftSplat(OperationReader& reader);

  int feature_height() const { return height_; }
  int feature_width() const { return width_; }
  std::unique_ptr<const Projection> Project(const RigRays& rig) const;

  int64_t ScratchBytes(int threads) const override;
  int64_t ThreadScratchBytes() const override;
  void Run(const RunContext& context, Tensors inputs, Tensors outputs) const override;
  void RunReference(const RunContext& context, Tensors inputs, Tensors outputs) const override;

 private:
  std::vector<double> depths_;
  GridSpec grid_;
  int height_, width_, channels_, max_cameras_;
};

}  // namespace bdc
