#include "ops/binary_block.h"

#include "ops/sweep.h"
#include "runtime/aligned_buffer.h"

namespace bdc {
namespace {

BinaryConvShape ShapeOf(const ConvGeometry& g) {
  return {g.in_channels, g.in_height, g.in_width, g.out_channels, g.out_height, g.out_width,
          g.kernel_h,    g.kernel_w,  g.stride_h, g.stride_w,     g.pad_h,      g.pad_w};
}

/// Measured on layers of 32 to 128 channels. With a stride of 2 bits are parted first, with others gathered
/// row by row.
PieceCost CostOf(const ConvGeometry& g) {
  if (g.stride_h == 1 && g.stride_w == 1) return {36, 16};
  return {g.stride_h == 2 && g.stride_w == 2 ? 90 : 200, 16};
}

}  // namespace

BinaryBlock::BinaryBlock(std::unique_ptr<BinaryConv2d> convolution) : convolution_(std::move(convolution)) {
  cost = convolution_->cost;
}

bool BinaryBlock::Takes(const BinaryConv2d& convolution) {
  return convolution.geometry().Depth() <= kMajorityMaxDepth &&
         (!convolution.has_activation() || convolution.has_rprelu());
}

void BinaryBlock::Load(EngineMode mode, const KernelSet& kernels) {
  convolution_->Load(mode, kernels);
  LoadSign(mode, kernels);
  const ConvGeometry& g = convolution_->geometry();
  weights_ = std::make_unique<const MajorityWeights>(ShapeOf(g), convolution_->weights().weight.data());
  thread_bytes_ = AlignedBytes(kernels.binary_block_scratch(*weights_, g.out_channels));
  const bool is_quantized = quantized_factor() != 0.0f && !has_residual() && !has_sign() && !has_mean();
  if (!is_quantized) return;
  int8_t somewhere = 0;
  const BlockEpilogue epilogue = Completed({.quantized = &somewhere, .quantized_factor = quantized_factor()});
  if (kernels.looks_up_quantized && QuantizedTable::Takes(*weights_, epilogue)) {
    table_ = std::make_unique<const QuantizedTable>(*weights_, epilogue);
  } else if (kernels.draws_lines) {
    lines_ = QuantizedLinesOf(weights_->shape(), epilogue);
  }
}

BlockEpilogue BinaryBlock::Completed(BlockEpilogue epilogue) const {
  const BinaryWeights& weights = convolution_->weights();
  const ConvActivation activation = convolution_->activation();
  epilogue.scale = weights.scale.data();
  epilogue.bias = weights.bias.data();
  epilogue.activation = {activation.bias_in, activation.slope, activation.bias_out};
  return epilogue;
}

void BinaryBlock::Run(const RunContext& context, Tensors inputs, Tensors outputs) const {
  std::byte* sums = context.scratch;
  ForEachBlockRange(context, outputs[0], CostOf(convolution_->geometry()),
                    [&](int64_t slot, int64_t image, const BlockRange& range) {
                      BinaryBlockArgs args{weights_.get(), SignsOf(inputs[0], image),
                                           Completed(EpilogueFor(image, inputs, outputs, sums))};
                      if (IsQuantizedFunction(args.epilogue)) {
                        args.table = table_.get();
                        args.epilogue.lines = lines_.empty() ? nullptr : lines_.data();
                      }
                      context.kernels.binary_block(args, range, context.ThreadScratch(slot));
                    });
  FinishMeans(sums, outputs);
}

}  // namespace bdc
