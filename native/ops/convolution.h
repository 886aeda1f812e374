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
  explicit RealConvolution(const ConvGeometry& geometry) : geometry_(geometry) {}
  const ConvGeometry& geometry() const { return geometry_; }
  void TakeResidual() { has_residual_ = true; }
  void TakeReLU() { has_relu_ = true; }
  bool has_residual() const { return has_residual_; }
  bool has_relu() const { return has_relu_; }
  /// Whether it is a convolution and nothing else.
  bool is_bare() const { return !has_activation() && !has_residual_ && !has_relu_; }
  bool TakeQuantizer(float factor) override {
    factor_ = factor;
    return true;
  }

 protected:
  ConvEpilogue epilogue() const {
    return {.activation = activation(), .relu = has_relu_, .quantized_factor = factor_};
  }
  /// Inputs x, residual.
  const Tensor* ResidualOf(Tensors inputs) const { return has_residual_ ? &inputs[1] : nullptr; }

 private:
  ConvGeometry geometry_;
  bool has_residual_ = false, has_relu_ = false;
  float factor_ = 0.0f;
};

class Conv2d : public RealConvolution {
 public:
  explicit Conv2d(OperationReader& reader);
  /// Instead of Load, for a group: the weights [O][I][kh][kw] and the bias, its data nullptr where there is
  /// none.
  std::pair<Parameter<float>, Parameter<float>> TakeLoaded();
  /// Valid once loaded; nullptr where there is none.
  const float* bias() const { return bias_.data(); }
  const DenseConvolution<float>& dense() const { return dense_; }
  void Load(EngineMode mode, const KernelSet& kernels) override;
  int64_t ScratchBytes(int threads) const override;
  void Run(const RunContext& context, Tensors inputs, Tensors outputs) const override;
  void RunReference(const RunContext& context, Tensors inputs, Tensors outputs) const override;

 private:
  Parameter<float> weight_;  // until dense_ has packed it
  Parameter<float> bias_;
  DenseConvolution<float> dense_;
};

/// The optional `bias` [O] and the geometry of a conv2d, whose `weight` is [O,I,kh,kw].
Parameter<float> ReadBias(OperationReader& reader);
ConvGeometry ReadConv2dGeometry(OperationReader& reader);

/// Convolutions of one input and one geometry (but for the output channels) as one, whose input is packed
/// once; all or none with a ReLU.
class ConvGroup : public Operation {
 public:
  explicit ConvGroup(std::vector<std::unique_ptr<Conv2d>> parts);
  void Load(EngineMode mode, const KernelSet& kernels) override;
  int64_t ScratchBytes(int threads) const override;
  void Run(const RunContext& context, Tensors inputs, Tensors outputs) const override;

 private:
  std::vector<std::unique_ptr<Conv2d>> parts_;
  DenseConvolution<float> dense_;
  AlignedBuffer<float> bias_;
};

}  // namespace bdc
