#pragma once

#include <cstdint>

#include "ops/operation.h"
#include "ops/operation_reader.h"

namespace bdc {

/// Sizes of a 2D convolution of one image.
struct ConvGeometry {
  int in_channels, in_height, in_width;
  int out_channels, out_height, out_width;
  int kernel_h, kernel_w, stride_h, stride_w, pad_h, pad_w;

  int64_t Depth() const { return int64_t{in_channels} * kernel_h * kernel_w; }
  int64_t Columns() const { return int64_t{out_height} * out_width; }
  int64_t Macs() const { return Depth() * Columns() * out_channels; }
  /// A matrix product as it stands: the output column is the input pixel.
  bool IsPointwise() const {
    return kernel_h == 1 && kernel_w == 1 && stride_h == 1 && stride_w == 1 && pad_h == 0 && pad_w == 0;
  }
};

/// Reads `stride` and `padding`, checks the sizes and adds the output.
ConvGeometry ReadConvGeometry(OperationReader& reader, int64_t out_channels, int64_t kernel_h,
                              int64_t kernel_w);

/// Real convolution as a matrix product over tiles of output pixels. The tiles depend on the geometry alone,
/// so that the result is the same for any number of threads.
class DenseConvolution {
 public:
  explicit DenseConvolution(const ConvGeometry& geometry);
  int64_t ScratchBytes(int threads) const;
  /// weight [O][I·kh·kw]; bias [O] or nullptr.
  void Run(const RunContext& context, const float* weight, const float* bias, const Tensor& x,
           const Tensor& y) const;

 private:
  /// [I·kh·kw][columns of the tile]: what each output pixel in [begin, end) sees.
  void Unfold(const float* image, int64_t begin, int64_t end, float* unfolded) const;

  ConvGeometry geometry_;
  int64_t tile_;  // output pixels
};

class Conv2d : public Operation {
 public:
  explicit Conv2d(OperationReader& reader);
  void Load(EngineMode mode) override;
  int64_t ScratchBytes(int threads) const override;
  void Run(const RunContext& context, Tensors inputs, Tensors outputs) const override;
  void RunReference(const RunContext& context, Tensors inputs, Tensors outputs) const override;

 private:
  Parameter<float> weight_, bias_;
  ConvGeometry geometry_;
};

}  // namespace bdc
