#pragma once

#include <memory>
#include <vector>

#include "kernels/majority-weights.h"
#include "kernels/quantized-lines.h"
#include "kernels/quantized-table.h"
#include "ops/binary_conv2d.h"
#include "ops/block_operation.h"

namespace bdc {

/// W1A1: binary convolution → RPReLU → residual → the next layer's signs or int8 values in one kernel call.
class BinaryBlock : public BlockOperation {
 public:
  explicit BinaryBlock(std::unique_ptr<BinaryConv2d> convolution);
  /// Whether the kernel takes this convolution: its counters hold sums of so many taps, its activation is
  /// none or RPReLU.
  static bool Takes(const BinaryConv2d& convolution);

  void Load(EngineMode mode, const KernelSet& kernels) override;
  int64_t ScratchBytes(int) const override { return sum_bytes(); }
  int64_t ThreadScratchBytes() const override { return thread_bytes_; }
  /// Inputs sign planes, residual; outputs y, sign planes.
  void Run(const RunContext& context, Tensors inputs, Tensors outputs) const override;

 private:
  std::unique_ptr<BinaryConv2d> convolution_;
  /// Scale, bias and activation, of `epilogue` too.
  BlockEpilogue Completed(BlockEpilogue epilogue) const;

  std::unique_ptr<const MajorityWeights> weights_;
  /// Of an int8 output and nothing else: one of these.
  std::unique_ptr<const QuantizedTable> table_;
  std::vector<QuantizedLines> lines_;
  int64_t thread_bytes_ = 0;
};

}  // namespace bdc
