#pragma once

#include <vector>

#include "ops/camera_parameters.h"
#include "ops/operation.h"
#include "ops/operation_reader.h"

namespace bdc {

/// How well each feature of a camera fits the previous frame's at each depth: [cameras,C,h,w] →
/// [cameras,D,h,w], a distribution over the depths (BEVStereo, arXiv 2209.10248, as BEVDet's and BDC-Occ's
/// published code has it; docs/model-format.md).
class StereoCostVolume : public Operation {
 public:
  explicit StereoCostVolume(OperationReader& reader);

  bool UsesCalibration() const override { return true; }
  int64_t HistoryBytes() const override;
  void Run(const RunContext& context, Tensors inputs, Tensors outputs) const override;
  void RunReference(const RunContext& context, Tensors inputs, Tensors outputs) const override;

 private:
  /// A camera now and in the previous frame.
  struct Pair {
    PinholeCamera current, previous;
    const RigidMotion& motion;
    const float* now;   // [pixels][C]
    const float* then;  // [pixels][C]
  };
  /// What is kept of a camera: its features [pixels][C], its calibration, and whether it had an image.
  int64_t KeptValues() const;
  void Keep(const RunContext& context, const Tensor& x) const;
  Pair PairOf(const RunContext& context, int camera) const;
  bool HasHistory(const RunContext& context, int camera) const;
  /// Calls `cost(pair, pixel, column, row)` for each depth of each pixel of the batch, where (column, row) is
  /// the place in the previous feature map, NaN behind the camera; then turns the costs into a distribution.
  template <typename Cost>
  void ForEachCost(const RunContext& context, const Tensor& y, const Cost& cost) const;
  void NormalizePixel(float* costs, int64_t plane) const;

  TensorSpec features_;
  std::vector<double> depths_;
  int max_cameras_, stride_;
  float bias_;
};

}  // namespace bdc
