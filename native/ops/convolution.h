#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "ops/activations.h"
#include "ops/conv_geometry.h"
#include "ops/dense_convolution.h"
#include "ops/operation.h"
#include "ops/operation_reader.h"

namespace bdc {

/// A convolution that may have taken over the activation behind it.
class Convolution : public Operation {
 public:
  /// Whether it can take this activation over.
  virtual bool Fuses(const ChannelActivation&) const { return true; }
  void TakeActivation(std::unique_ptr<ChannelActivation> activation) { activation_ = std::move(activation); }
  bool has_activation() const { return activation_ != nullptr; }
  bool has_rprelu() const { return dynamic_cast<const RPReLU*>(activation_.get()) != nullptr; }
  /// Valid once loaded.
  ConvActivation activation() const { return activation_ ? activation_->parameters() : ConvActivation{}; }

 protected:
  void LoadActivation(EngineMode mode, const KernelSet& kernels) {
    if (activation_) activation_->Load(mode, kernels);
  }

 private:
  std::unique_ptr<ChannelActivation> activation_;
};

/// Real weights, on real or on int8 activations; may have taken over the sum and the ReLU behind it.
class RealConvolution : public Convolution {
 public:
  const ConvGeometry& geometry() const { return geometry_; }
  void TakeResidual() { has_residual_ = true; }
  void TakeReLU() { has_relu_ = true; }
  bool has_residual() const { return has_residual_; }
  bool has_relu() const { return has_relu_; }
  /// Whether it is a convolution and nothing else.
  bool is_bare() const { return !has_activation() && !has_residual_ && !has_relu_; }
  bool TakeQuantizer(float factor) override {
    if (is_joined_) return false;
    factor_ = factor;
    return true;
  }

  /// Whether it can take over another convolution of the same input.
  bool CanJoin(const RealConvolution& other) const;
  /// Takes it over: its output channels follow the own ones, and so does its output.
  void Join(const RealConvolution& other);
  bool is_joined() const { return is_joined_; }

  /// Whether RunPixels computes it.
  bool TakesPixels() const { return is_bare() && geometry_.IsPointwise() && geometry_.Columns() > 1; }
  virtual int64_t PixelScratchBytes() const = 0;
  /// y[o][i]: pixels [first, first + count) of the first image, kConvStrip at most. `scratch`:
  /// PixelScratchBytes(), from a cache line on.
  virtual void RunPixels(const RunContext& context, const Tensor& x, int64_t first, int count, float* y,
                         std::byte* scratch) const = 0;

 protected:
  /// Reads the geometry. The weight is the subclass's to read, before the bias: its shape is the bias's.
  explicit RealConvolution(OperationReader& reader);
  void ReadBias(OperationReader& reader);
  /// Of `other`, which is of the same class: the weights, behind the own ones.
  virtual void JoinWeights(const RealConvolution& other) = 0;
  void LoadBias() { bias_.Load(); }
  const Parameter<float>& bias() const { return bias_; }
  ConvEpilogue epilogue() const {
    return {.activation = activation(), .relu = has_relu_, .quantized_factor = factor_};
  }
  /// Inputs x, residual.
  const Tensor* ResidualOf(Tensors inputs) const { return has_residual_ ? &inputs[1] : nullptr; }

 private:
  ConvGeometry geometry_;
  Parameter<float> bias_;
  bool has_residual_ = false, has_relu_ = false, is_joined_ = false;
  float factor_ = 0.0f;
};

class Conv2d : public RealConvolution {
 public:
  explicit Conv2d(OperationReader& reader);
  void Load(EngineMode mode, const KernelSet& kernels) override;
  int64_t ScratchBytes(int threads) const override { return dense_.ScratchBytes(threads); }
  int64_t PixelScratchBytes() const override { return dense_.PixelScratchBytes(); }
  void RunPixels(const RunContext& context, const Tensor& x, int64_t first, int count, float* y,
                 std::byte* scratch) const override;
  void Run(const RunContext& context, Tensors inputs, Tensors outputs) const override;
  void RunReference(const RunContext& context, Tensors inputs, Tensors outputs) const override;

 private:
  void JoinWeights(const RealConvolution& other) override;

  Parameter<float> weight_;  // until dense_ has packed it
  DenseConvolution<float> dense_;
};

}  // namespace bdc
