#pragma once

#include "ops/convolution.h"
#include "ops/operation.h"
#include "ops/operation_reader.h"

namespace bdc {

/// Binary weights [O][kh][kw][words], scale [O], optional bias [O].
struct BinaryWeights {
  explicit BinaryWeights(OperationReader& reader, int in_channels);
  void Load();
  /// +1 or −1.
  float Sign(int64_t o, int i, int ky, int kx) const {
    const int64_t word = ((o * kernel_h + ky) * kernel_w + kx) * words + i / 64;
    return (weight[word] >> (i % 64)) & 1 ? 1.0f : -1.0f;
  }

  int64_t out_channels, kernel_h, kernel_w, words;
  Parameter<uint64_t> weight;
  Parameter<float> scale, bias;
};

/// W1A1: bits in. y = scale[o]·Σ(±1·±1) + bias[o], the sum an exact integer.
class BinaryConv2d : public Convolution {
 public:
  explicit BinaryConv2d(OperationReader& reader);
  const ConvGeometry& geometry() const { return geometry_; }
  const BinaryWeights& weights() const { return weights_; }
  void Load(EngineMode mode, const KernelSet& kernels) override;
  void Run(const RunContext& context, Tensors inputs, Tensors outputs) const override;
  void RunReference(const RunContext& context, Tensors inputs, Tensors outputs) const override;

 private:
  BinaryWeights weights_;
  ConvGeometry geometry_;
};

/// W1A32: real values in. y = scale[o]·Σ±x + bias[o]. With `activation_scale` W1A8: the values are rounded to
/// int8, the sums are exact (docs/model-format.md).
class BinaryWeightConv2d : public Convolution {
 public:
  explicit BinaryWeightConv2d(OperationReader& reader);
  const ConvGeometry& geometry() const { return geometry_; }
  const BinaryWeights& weights() const { return weights_; }
  bool is_pointwise() const { return geometry_.IsPointwise(); }
  /// Real values of images of one pixel: a matrix.
  bool is_matrix() const { return is_pointwise() && geometry_.Columns() == 1 && activation_scale_ == 0.0f; }
  /// W1A8: x becomes clamp(round(x · input_factor), ±127); W1A32: 0.
  float input_factor() const { return activation_scale_ == 0.0f ? 0.0f : 1.0f / activation_scale_; }
  /// Of an output channel's sum, once loaded.
  float SumScale(int o) const {
    return activation_scale_ == 0.0f ? weights_.scale[o] : weights_.scale[o] * activation_scale_;
  }
  /// The block kernel of a pointwise convolution has RPReLU only.
  bool Fuses(const ChannelActivation& activation) const override;

  /// The stored constants only, not the form that Run computes with.
  void LoadWeights(EngineMode mode, const KernelSet& kernels);
  void Load(EngineMode mode, const KernelSet& kernels) override;
  int64_t ScratchBytes(int threads) const override;
  void Run(const RunContext& context, Tensors inputs, Tensors outputs) const override;
  void RunReference(const RunContext& context, Tensors inputs, Tensors outputs) const override;
  /// One image where it is_matrix: x [in_channels], y [out_channels].
  void RunPixel(const PlaneKernels& planes, const float* x, float* y) const;

 private:
  void LoadMatrix();
  void RunQuantized(const RunContext& context, const Tensor& x, const Tensor& y) const;

  BinaryWeights weights_;
  ConvGeometry geometry_;
  float activation_scale_;            // 0: none
  DenseConvolution<float> dense_;     // of the weights ±scale[o]; unless it is_matrix
  AlignedBuffer<uint32_t> negative_;  // of a matrix: [O / kColumnBlock][I][kColumnBlock / 32]
};

}  // namespace bdc
