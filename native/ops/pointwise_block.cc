#include "ops/pointwise_block.h"

#include "ops/sweep.h"
#include "runtime/aligned_buffer.h"

namespace bdc {
namespace {

/// Measured on layers of 32 to 128 channels; tiles come in pairs.
constexpr PieceCost kTileCost{48, kTilePair}, kTableCost{48, 16}, kRegisterCost{16, kRegisterTableLanes};

}  // namespace

PointwiseBlock::PointwiseBlock(std::unique_ptr<BinaryWeightConv2d> convolution)
    : convolution_(std::move(convolution)) {
  cost = convolution_->cost;
}

void PointwiseBlock::Load(EngineMode mode, const KernelSet& kernels) {
  convolution_->LoadWeights(mode, kernels);
  LoadSign(mode, kernels);
  const ConvGeometry& g = convolution_->geometry();
  const uint64_t* bits = convolution_->weights().weight.data();
  if (kernels.pointwise_tiles != nullptr) {
    kernel_ = kernels.pointwise_tiles;
    pieces_ = kTileCost;
    const TileElement element = InputFactor() != 0.0f ? TileElement::kInt8 : TileElement::kBfloat16;
    tile_weights_ = std::make_unique<const TileWeights>(g.in_channels, g.out_channels, bits, element);
    thread_bytes_ = AlignedBytes(kernels.pointwise_tiles_scratch(*tile_weights_));
  } else if (kernels.pointwise_registers != nullptr && InputFactor() != 0.0f &&
             g.out_channels >= kRegisterTablesFrom) {
    kernel_ = kernels.pointwise_registers;
    pieces_ = kRegisterCost;
    register_weights_ = std::make_unique<const RegisterTableWeights>(g.in_channels, g.out_channels, bits);
    thread_bytes_ = AlignedBytes(kernels.pointwise_registers_scratch(g.out_channels));
  } else {
    kernel_ = kernels.pointwise_block;
    pieces_ = kTableCost;
    table_weights_ = std::make_unique<const SumTableWeights>(g.in_channels, g.out_channels, bits);
    thread_bytes_ = AlignedBytes(kernels.pointwise_block_scratch(g.out_channels));
  }
  scale_.clear();
  for (int o = 0; o < g.out_channels; ++o) scale_.push_back(convolution_->SumScale(o));
}

int64_t PointwiseBlock::ScratchBytes(int) const {
  const ConvGeometry& g = convolution_->geometry();
  const int64_t values = int64_t{g.images} * g.in_channels * g.Columns();
  return sum_bytes() + (InputFactor() == 0.0f ? 0 : values);
}

Tensor PointwiseBlock::Quantize(const RunContext& context, const Tensor& x) const {
  Tensor q = x;
  q.type = ElementType::kInt8;
  q.data = context.scratch + sum_bytes();
  q.whole_channels = q.channels;
  ForEachSweepRange(context, x, [&](int64_t image, const BlockRange& range) {
    SweepArgs args{StreamIn(x, image), x.plane(), x.channels, {}};
    args.epilogue.quantized = q.s8() + image * q.image();
    args.epilogue.quantized_factor = InputFactor();
    context.kernels.sweep(args, range);
  });
  return q;
}

void PointwiseBlock::Run(const RunContext& context, Tensors inputs, Tensors outputs) const {
  const bool has_to_quantize = InputFactor() != 0.0f && inputs[0].type != ElementType::kInt8;
  const Tensor x = has_to_quantize ? Quantize(context, inputs[0]) : inputs[0];
  const ConvActivation activation = convolution_->activation();
  std::byte* sums = context.scratch;
  ForEachBlockRange(context, outputs[0], pieces_, [&](int64_t slot, int64_t image, const BlockRange& range) {
    PointwiseBlockArgs args{.weights = table_weights_.get(),
                            .registers = register_weights_.get(),
                            .tiles = tile_weights_.get(),
                            .pixels = x.plane(),
                            .epilogue = EpilogueFor(image, inputs, outputs, sums)};
    if (x.type == ElementType::kInt8) {
      args.input_s8 = x.s8() + image * x.image();
    } else if (x.type == ElementType::kFloat16) {
      args.input_f16 = x.f16() + image * x.image();
    } else {
      args.input_f32 = x.f32() + image * x.image();
    }
    args.epilogue.scale = scale_.data();
    args.epilogue.bias = convolution_->weights().bias.data();
    args.epilogue.activation = {activation.bias_in, activation.slope, activation.bias_out};
    kernel_(args, range, context.ThreadScratch(slot));
  });
  FinishMeans(sums, outputs);
}

}  // namespace bdc
