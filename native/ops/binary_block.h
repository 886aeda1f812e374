#pragma once

#include <memory>
#include <vector>

#include "kernels/majority-weights.h"
#include "ops/binary_conv2d.h"
#include "ops/sign.h"

namespace bdc {

/// Binary convolution → RPReLU → residual → the next layer's signs in one kernel call
/// (kernels/binary-block.h).
class BinaryBlock : public Operation {
 public:
  explicit BinaryBlock(std::unique_ptr<BinaryConv2d> convolution);
  /// Whether the kernel takes this convolution: its counters hold sums of so many taps, its activation is
  /// none or RPReLU.
  static bool Takes(const BinaryConv2d& convolution);

  void TakeResidual() { has_residual_ = true; }
  void TakeSign(std::unique_ptr<Sign> sign) { sign_ = std::move(sign); }
  bool has_residual() const { return has_residual_; }
  bool has_sign() const { return sign_ != nullptr; }

  void Load(EngineMode mode, const KernelSet& kernels) override;
  int64_t ScratchBytes(int threads) const override;
  /// Inputs sign planes, residual; outputs y, sign planes.
  void Run(const RunContext& context, Tensors inputs, Tensors outputs) const override;

 private:
  std::unique_ptr<BinaryConv2d> convolution_;
  std::unique_ptr<Sign> sign_;
  bool has_residual_ = false;
  std::unique_ptr<const MajorityWeights> weights_;
  int64_t slot_bytes_ = 0;
};

}  // namespace bdc
