#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "ops/activations.h"
#include "ops/operation.h"
#include "ops/operation_reader.h"

namespace bdc {

/// Sizes of a 2D convolution of one image.
struct ConvGeometry {
  int in_channels, in_height, in_width;
  int out_channels, out_height, out_width;
  int kernel_h, kernel_w, stride_h, stride_w, pad_h, pad_w;
  /// Distance of neighbouring taps.
  int dilation_h = 1, dilation_w = 1;

  bool operator==(const ConvGeometry&) const = default;
  int64_t Depth() const { return int64_t{in_channels} * kernel_h * kernel_w; }
  int64_t Columns() const { return int64_t{out_height} * out_width; }
  /// Pixels from the first tap to the last.
  int ExtentH() const { return (kernel_h - 1) * dilation_h + 1; }
  int ExtentW() const { return (kernel_w - 1) * dilation_w + 1; }
  int64_t Macs() const { return Depth() * Columns() * out_channels; }
  /// A matrix product as it stands: the output column is the input pixel.
  bool IsPointwise() const {
    return kernel_h == 1 && kernel_w == 1 && stride_h == 1 && stride_w == 1 && pad_h == 0 && pad_w == 0;
  }
};

/// Reads `stride` and `padding`, checks the sizes and adds the output; `dilation`: rows, columns.
ConvGeometry ReadConvGeometry(OperationReader& reader, int64_t out_channels, int64_t kernel_h,
                              int64_t kernel_w, std::pair<int, int> dilation = {1, 1});

/// Real convolution in bands of output rows. A band's input is first copied into planes where every tap lies
/// at a constant distance: with its padding, and one plane for each phase of the stride. Nothing is copied
/// for a 1×1 convolution that keeps every pixel.
class DenseConvolution {
 public:
  explicit DenseConvolution(const ConvGeometry& geometry);
  /// weight [O][I·kh·kw]
  void Load(const float* weight, const KernelSet& kernels);
  int64_t ScratchBytes(int threads) const;
  /// bias [O] or nullptr. `outputs` share the output channels in order.
  void Run(const RunContext& context, const float* bias, const ConvActivation& activation, const Tensor& x,
           Tensors outputs) const;

  struct PixelScratch {
    float* output;   // [O][count]
    float** planes;  // [O]
    float* sums;     // ConvScratchValues(O, depth)
  };
  /// Pixels [first, first + count) of one image of a pointwise convolution, into `scratch.output`.
  void RunPixels(const KernelSet& kernels, const float* bias, const float* image, int64_t first, int count,
                 const PixelScratch& scratch) const;

 private:
  int BandRows() const;
  int64_t InputValues() const;
  int64_t SlotBytes() const;
  /// Copies what output rows [first, first + BandRows()) see of an image.
  void PackBand(const float* image, int first, float* packed) const;

  ConvGeometry geometry_;
  bool pointwise_;
  int phases_h_, phases_w_;  // of the stride, that taps fall on
  int64_t pitch_;            // of packed rows
  AlignedBuffer<float> weight_;
  std::vector<int32_t> taps_;
};

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

class Conv2d : public Convolution {
 public:
  explicit Conv2d(OperationReader& reader);
  const ConvGeometry& geometry() const { return geometry_; }
  /// Valid once loaded; bias may be nullptr.
  const float* weight() const { return weight_.data(); }
  const float* bias() const { return bias_.data(); }
  const DenseConvolution& dense() const { return dense_; }
  void Load(EngineMode mode, const KernelSet& kernels) override;
  int64_t ScratchBytes(int threads) const override;
  void Run(const RunContext& context, Tensors inputs, Tensors outputs) const override;
  void RunReference(const RunContext& context, Tensors inputs, Tensors outputs) const override;

 private:
  Parameter<float> weight_, bias_;
  ConvGeometry geometry_;
  DenseConvolution dense_;
};

/// Convolutions of one input and one geometry (but for the output channels) as one, whose input is packed
/// once.
class ConvGroup : public Operation {
 public:
  explicit ConvGroup(std::vector<std::unique_ptr<Conv2d>> parts);
  void Load(EngineMode mode, const KernelSet& kernels) override;
  int64_t ScratchBytes(int threads) const override;
  void Run(const RunContext& context, Tensors inputs, Tensors outputs) const override;

 private:
  std::vector<std::unique_ptr<Conv2d>> parts_;
  DenseConvolution dense_;
  AlignedBuffer<float> bias_;
};

}  // namespace bdc
