#pragma once

#include <memory>

#include "ops/operation.h"
#include "ops/operation_reader.h"

namespace bdc {

/// What an activation with parameters makes of one value of a channel.
inline float Activated(const ConvActivation& a, int channel, float x) {
  if (a.bias_in != nullptr) x += a.bias_in[channel];
  if (a.slope != nullptr) x = x > 0 ? x : a.slope[channel] * x;
  return a.bias_out != nullptr ? x + a.bias_out[channel] : x;
}

/// An activation with parameters per channel, which a convolution can take over.
class ChannelActivation : public Operation {
 public:
  /// Valid once loaded.
  virtual ConvActivation parameters() const = 0;
};

/// t = x + bias_in; y = (t > 0 ? t : slope·t) + bias_out, per channel.
class RPReLU : public ChannelActivation {
 public:
  explicit RPReLU(OperationReader& reader);
  void Load(EngineMode mode, const KernelSet& kernels) override;
  void Run(const RunContext& context, Tensors inputs, Tensors outputs) const override;
  ConvActivation parameters() const override { return {bias_in_.data(), slope_.data(), bias_out_.data()}; }

 private:
  Parameter<float> bias_in_, slope_, bias_out_;
};

/// y = x > 0 ? x : slope·x, per channel.
class PReLU : public ChannelActivation {
 public:
  explicit PReLU(OperationReader& reader);
  void Load(EngineMode mode, const KernelSet& kernels) override;
  void Run(const RunContext& context, Tensors inputs, Tensors outputs) const override;
  ConvActivation parameters() const override { return {nullptr, slope_.data(), nullptr}; }

 private:
  Parameter<float> slope_;
};

/// y = scale·x + bias, per channel.
class BatchNorm : public Operation {
 public:
  explicit BatchNorm(OperationReader& reader);
  void Load(EngineMode mode, const KernelSet& kernels) override;
  void Run(const RunContext& context, Tensors inputs, Tensors outputs) const override;
  /// Valid once loaded.
  const float* scale() const { return scale_.data(); }
  const float* bias() const { return bias_.data(); }

 private:
  Parameter<float> scale_, bias_;
};

class ReLU : public Operation {
 public:
  explicit ReLU(OperationReader& reader);
  void Run(const RunContext& context, Tensors inputs, Tensors outputs) const override;
};

class Sigmoid : public Operation {
 public:
  explicit Sigmoid(OperationReader& reader);
  void Run(const RunContext& context, Tensors inputs, Tensors outputs) const override;
  void RunReference(const RunContext& context, Tensors inputs, Tensors outputs) const override;
};

/// y = log(1 + eˣ)
class Softplus : public Operation {
 public:
  explicit Softplus(OperationReader& reader);
  void Run(const RunContext& context, Tensors inputs, Tensors outputs) const override;
  void RunReference(const RunContext& context, Tensors inputs, Tensors outputs) const override;
};

}  // namespace bdc
