#pragma once

#include <cstdint>
#include <vector>

#include "ops/convolution.h"

namespace bdc {

/// conv2d on int8 activations: y = (scale[o] · activation_scale) · Σ w·q + bias[o], the sum an exact integer
/// (docs/model-format.md).
class Int8Conv2d : public RealConvolution {
 public:
  explicit Int8Conv2d(OperationReader& reader);
  float InputFactor() const override { return 1.0f / activation_scale_; }
  void Load(EngineMode mode, const KernelSet& kernels) override;
  int64_t ScratchBytes(int threads) const override { return dense_.ScratchBytes(threads); }
  int64_t PixelScratchBytes() const override { return dense_.PixelScratchBytes(); }
  void RunPixels(const RunContext& context, const Tensor& x, int64_t first, int count, float* y,
                 std::byte* scratch) const override;
  int64_t ReferenceScratchBytes() const override;
  void Run(const RunContext& context, Tensors inputs, Tensors outputs) const override;
  void RunReference(const RunContext& context, Tensors inputs, Tensors outputs) const override;

 private:
  void JoinWeights(const RealConvolution& other) override;
  /// With scale and bias.
  ConvEpilogue Int8Epilogue() const;
  const int32_t* Start() const { return start_.empty() ? nullptr : start_.data(); }
  /// Weights as the kernel's words, [O][kh][kw][words of a pixel].
  std::vector<int32_t> WeightWords(const ConvKernel<int32_t>& kernel) const;

  Parameter<int8_t> weight_;
  Parameter<float> scale_;
  float activation_scale_;
  DenseConvolution<int32_t> dense_;
  std::vector<float> sum_scale_, sum_bias_;  // of all channels that are computed
  std::vector<int32_t> start_;               // of the sums; empty: 0
};

}  // namespace bdc
