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

/// W1A32: real values in. y = scale[o]·Σ±x + bias[o].
class BinaryWeightConv2d : public Convolution {
 public:
  explicit BinaryWeightConv2d(OperationReader& reader);
  void Load(EngineMode mode, const KernelSet& kernels) override;
  int64_t ScratchBytes(int threads) const override;
  void Run(const RunContext& context, Tensors inputs, Tensors outputs) const override;
  void RunReference(const RunContext& context, Tensors inputs, Tensors outputs) const override;

 private:
  BinaryWeights weights_;
  ConvGeometry geometry_;
  DenseConvolution dense_;  // of the weights ±scale[o]
};

}  // namespace bdc
