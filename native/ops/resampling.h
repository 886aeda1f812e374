#pragma once

#include "ops/operation.h"
#include "ops/operation_reader.h"
#include "ops/plane_maker.h"

namespace bdc {

/// Mean of each channel: [N,C,H,W] → [N,C,1,1].
class GlobalAvgPool2d : public Operation {
 public:
  explicit GlobalAvgPool2d(OperationReader& reader);
  void Run(const RunContext& context, Tensors inputs, Tensors outputs) const override;
};

/// Mean over windows that lie wholly inside the image.
class AvgPool2d : public PlaneMaker {
 public:
  explicit AvgPool2d(OperationReader& reader);
  void Run(const RunContext& context, Tensors inputs, Tensors outputs) const override;

 private:
  int kernel_h_, kernel_w_, stride_h_, stride_w_;
};

/// Largest value of each window; the padding outside the image never is.
class MaxPool2d : public Operation {
 public:
  explicit MaxPool2d(OperationReader& reader);
  void Run(const RunContext& context, Tensors inputs, Tensors outputs) const override;

 private:
  int kernel_h_, kernel_w_, stride_h_, stride_w_, padding_h_, padding_w_;
};

/// Enlarges by an integer factor, PyTorch's `interpolate` with align_corners = false.
class Upsample2d : public PlaneMaker {
 public:
  explicit Upsample2d(OperationReader& reader);
  void Run(const RunContext& context, Tensors inputs, Tensors outputs) const override;
  void RunReference(const RunContext& context, Tensors inputs, Tensors outputs) const override;

 private:
  /// `stretched`: two output rows.
  void Bilinear(const PlaneKernels& planes, const float* from, float* to, const Tensor& x,
                float* stretched) const;
  void StretchRow(const PlaneKernels& planes, const float* x, int width, float* y) const;
  void Plain(const float* from, float* to, const Tensor& x) const;

  int factor_;
  bool bilinear_;
  int out_width_;
};

}  // namespace bdc
