#include "ops/binary_block.h"

#include <algorithm>

#include "ops/sweep.h"

namespace bdc {
namespace {

BinaryConvShape ShapeOf(const ConvGeometry& g) {
  return {g.in_channels, g.in_height, g.in_width, g.out_channels, g.out_height, g.out_width,
          g.kernel_h,    g.kernel_w,  g.stride_h, g.stride_w,     g.pad_h,      g.pad_w};
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
  if (sign_) sign_->Load(mode, kernels);
  const ConvGeometry& g = convolution_->geometry();
  weights_ = std::make_unique<const MajorityWeights>(ShapeOf(g), convolution_->weights().weight.data());
  constexpr auto kStep = static_cast<int64_t>(kAlignment);
  slot_bytes_ = (kernels.binary_block_scratch(*weights_, g.out_channels) + kStep - 1) / kStep * kStep;
}

int64_t BinaryBlock::ScratchBytes(int threads) const { return threads * slot_bytes_; }

void BinaryBlock::Run(const RunContext& context, Tensors inputs, Tensors outputs) const {
  // Enough pieces for every thread even where an image is a block or two; a piece builds the tables of its
  // block anew, so it should have many channels.
  constexpr int kFewestChannels = 16, kPiecesPerThread = 2;
  const Tensor& y = outputs[0];
  const int64_t blocks = BlocksOf(y.plane()), wanted = int64_t{context.pool.size()} * kPiecesPerThread;
  const int64_t most_parts = std::max(1, y.channels / kFewestChannels);
  const int64_t parts =
      context.pool.size() == 1 ? 1 : std::clamp<int64_t>(wanted / (blocks * y.batch), 1, most_parts);
  const int64_t items = y.batch * blocks * parts;
  const int64_t slots = std::min<int64_t>(context.pool.size(), items);
  const BinaryWeights& weights = convolution_->weights();
  const ConvActivation activation = convolution_->activation();
  context.pool.ParallelFor(0, slots, 1, [&](int64_t from, int64_t to) {
    for (int64_t slot = from; slot < to; ++slot) {
      for (int64_t item = slot; item < items; item += slots) {
        const int64_t image = item / parts / blocks, block = item / parts % blocks, part = item % parts;
        BinaryBlockArgs args{weights_.get(), SignsOf(inputs[0], image), {}};
        args.epilogue.scale = weights.scale.data();
        args.epilogue.bias = weights.bias.data();
        args.epilogue.activation = {activation.bias_in, activation.slope, activation.bias_out};
        if (has_residual_) args.epilogue.residual = StreamIn(inputs[1], image);
        args.epilogue.stream = StreamOut(y, image);
        if (sign_) {
          args.epilogue.signs = SignsOf(outputs[1], image);
          args.epilogue.threshold = sign_->threshold();
          args.epilogue.direction = sign_->direction();
        }
        const BlockRange range{block, block + 1, static_cast<int>(y.channels * part / parts),
                               static_cast<int>(y.channels * (part + 1) / parts)};
        context.kernels.binary_block(args, range, context.scratch + slot * slot_bytes_);
      }
    }
  });
}

}  // namespace bdc
