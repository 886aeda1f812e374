#include "ops/conv_argmax.h"

#include <algorithm>
#include <utility>

#include "kernels/conv.h"
#include "ops/planes.h"
#include "runtime/aligned_buffer.h"

namespace bdc {
namespace {

// A strip of the convolution: the logits stay in the second-level cache.
constexpr int kCells = kConvStrip;

}  // namespace

ConvArgmax::ConvArgmax(std::unique_ptr<Conv2d> convolution, std::unique_ptr<OccupancyArgmax> argmax)
    : convolution_(std::move(convolution)), argmax_(std::move(argmax)) {
  cost = convolution_->cost;
  constexpr auto kFloat = static_cast<int64_t>(sizeof(float));
  const ConvGeometry& g = convolution_->geometry();
  plane_bytes_ = AlignedBytes(g.out_channels * static_cast<int64_t>(sizeof(void*)));
  logit_bytes_ = AlignedBytes(int64_t{g.out_channels} * kCells * kFloat);
  sum_bytes_ = AlignedBytes(ConvScratchWords(g.out_channels, static_cast<int>(g.Depth())) * kFloat);
}

void ConvArgmax::Load(EngineMode mode, const KernelSet& kernels) {
  convolution_->Load(mode, kernels);
  argmax_->Load(mode, kernels);
}

int64_t ConvArgmax::ThreadScratchBytes() const { return plane_bytes_ + logit_bytes_ + sum_bytes_; }

void ConvArgmax::Run(const RunContext& context, Tensors inputs, Tensors outputs) const {
  const int64_t cells = inputs[0].plane(), strips = (cells + kCells - 1) / kCells;
  ForEachItem(context, strips, [&](int64_t slot, int64_t strip) {
    std::byte* scratch = context.ThreadScratch(slot);
    auto* logits = reinterpret_cast<float*>(scratch + plane_bytes_);
    auto* sums = reinterpret_cast<float*>(scratch + plane_bytes_ + logit_bytes_);
    const int64_t first = strip * kCells;
    const int count = static_cast<int>(std::min<int64_t>(kCells, cells - first));
    convolution_->dense().RunPixels(convolution_->bias(), inputs[0].f32(), first, count,
                                    {logits, reinterpret_cast<void**>(scratch), sums});
    argmax_->RunCells(context.kernels, logits, count, first, count, outputs);
  });
}

}  // namespace bdc
