#include "ops/conv_argmax.h"

#include <algorithm>
#include <utility>

#include "kernels/conv.h"
#include "ops/planes.h"
#include "runtime/aligned_buffer.h"

namespace bdc {
namespace {

// A strip of the convolution: the logits stay in the second-level cache.
constexpr int kCells = 192;

}  // namespace

ConvArgmax::ConvArgmax(std::unique_ptr<RealConvolution> convolution, std::unique_ptr<OccupancyArgmax> argmax)
    : convolution_(std::move(convolution)),
      argmax_(std::move(argmax)),
      logit_bytes_(AlignedBytes(int64_t{convolution_->geometry().out_channels} * kCells *
                                static_cast<int64_t>(sizeof(float)))) {
  cost = convolution_->cost;
}

void ConvArgmax::Load(EngineMode mode, const KernelSet& kernels) {
  convolution_->Load(mode, kernels);
  argmax_->Load(mode, kernels);
}

int64_t ConvArgmax::ThreadScratchBytes() const { return logit_bytes_ + convolution_->PixelScratchBytes(); }

void ConvArgmax::Run(const RunContext& context, Tensors inputs, Tensors outputs) const {
  const int64_t cells = inputs[0].plane(), strips = (cells + kCells - 1) / kCells;
  ForEachItem(context, strips, [&](int64_t slot, int64_t strip) {
    std::byte* scratch = context.ThreadScratch(slot);
    auto* logits = reinterpret_cast<float*>(scratch);
    const int64_t first = strip * kCells;
    const int count = static_cast<int>(std::min<int64_t>(kCells, cells - first));
    convolution_->RunPixels(context, inputs[0], first, count, logits, scratch + logit_bytes_);
    argmax_->RunCells(context.kernels, logits, count, first, count, outputs);
  });
}

}  // namespace bdc
