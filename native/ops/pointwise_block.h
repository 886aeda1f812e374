#pragma once

#include <memory>
#include <vector>

#include "kernels/kernels.h"
#include "kernels/register-table-weights.h"
#include "kernels/sum-table-weights.h"
#include "kernels/tile-weights.h"
#include "ops/binary_conv2d.h"
#include "ops/block_operation.h"

namespace bdc {

/// W1A32 and W1A8: 1×1 convolution of binary weights on real values → RPReLU → residual → the next layer's
/// signs or int8 values in one kernel call.
class PointwiseBlock : public BlockOperation {
 public:
  explicit PointwiseBlock(std::unique_ptr<BinaryWeightConv2d> convolution);
  /// Whether the kernel takes this convolution. A few pixels on real values, as in a refinement branch, are
  /// faster as a plain product: the kernel works on blocks of kBlockPixels.
  static bool Takes(const BinaryWeightConv2d& convolution) {
    constexpr int kFewestPixels = 64;
    const bool is_worth_it = convolution.geometry().Columns() >= kFewestPixels;
    return convolution.is_pointwise() && (is_worth_it || convolution.input_factor() != 0.0f);
  }

  float InputFactor() const override { return convolution_->input_factor(); }

  void Load(EngineMode mode, const KernelSet& kernels) override;
  int64_t ScratchBytes(int threads) const override;
  int64_t ThreadScratchBytes() const override { return thread_bytes_; }
  /// Inputs x (real or int8), residual; outputs y, sign planes.
  void Run(const RunContext& context, Tensors inputs, Tensors outputs) const override;

 private:
  /// Real values as int8, in scratch.
  Tensor Quantize(const RunContext& context, const Tensor& x) const;

  std::unique_ptr<BinaryWeightConv2d> convolution_;
  /// One of the three.
  std::unique_ptr<const SumTableWeights> table_weights_;
  std::unique_ptr<const RegisterTableWeights> register_weights_;
  std::unique_ptr<const TileWeights> tile_weights_;
  std::vector<float> scale_;  // of the sums: with the activations' scale where they are int8
  decltype(KernelSet::pointwise_block) kernel_ = nullptr;
  PieceCost pieces_{};
  int64_t thread_bytes_ = 0;
};

}  // namespace bdc
