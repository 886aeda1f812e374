#pragma once

#include "ops/operation.h"
#include "ops/operation_reader.h"

namespace bdc {

/// The previous frame's input where the robot stands now: bilinear, zero outside of what that frame covered
/// and where nothing is kept (BEVDet4D, arXiv 2203.17054, section 3.2; docs/model-format.md).
class AlignPrevious : public Operation {
 public:
  explicit AlignPrevious(OperationReader& reader);

  int64_t HistoryBytes() const override;
  void Run(const RunContext& context, Tensors inputs, Tensors outputs) const override;
  void RunReference(const RunContext& context, Tensors inputs, Tensors outputs) const override;

 private:
  /// Where the centre of cell (row, column) lay in the previous frame's map, in cells from the first one's
  /// centre.
  struct Place {
    double column, row;
  };
  Place PlaceOf(const RigidMotion& motion, int row, int column) const;
  void AlignRows(const History& history, const Tensor& y, int64_t begin, int64_t end) const;

  TensorSpec map_;
  double min_x_, min_y_, cell_x_, cell_y_;
};

}  // namespace bdc
