#pragma once

#include <algorithm>
#include <memory>
#include <utility>

#include "kernels/binary-block.h"
#include "ops/operation.h"
#include "ops/planes.h"
#include "ops/sign.h"
#include "runtime/aligned_buffer.h"

namespace bdc {

/// A convolution that a block kernel (kernels/binary-block.h) computes, together with what it has taken over
/// from the nodes behind it: a residual, the mean of each channel, and the next layer's signs or int8 values.
class BlockOperation : public Operation {
 public:
  void TakeResidual() { has_residual_ = true; }
  void TakeSign(std::shared_ptr<Sign> sign) { sign_ = std::move(sign); }
  bool TakeQuantizer(float factor) override {
    quantized_factor_ = factor;
    return true;
  }
  bool MayOverwrite(size_t input) const override { return has_residual_ && input == 1; }
  /// The mean of each channel becomes output 1, of `images` images of `pixels` pixels and `channels` channels
  /// at most.
  void TakeMean(int64_t images, int64_t pixels, int channels) {
    sum_bytes_ = AlignedBytes(images * BlocksOf(pixels) * channels * int64_t{sizeof(float)});
  }
  bool has_mean() const { return sum_bytes_ != 0; }
  bool has_residual() const { return has_residual_; }
  bool has_sign() const { return sign_ != nullptr; }
  float quantized_factor() const { return quantized_factor_; }

 protected:
  /// Scratch in which the kernel leaves the sums that means are made of, 0 where there are none.
  int64_t sum_bytes() const { return sum_bytes_; }
  /// What the kernel does behind its sums of one image. Inputs x, residual; outputs y, then sign planes or
  /// means.
  BlockEpilogue EpilogueFor(int64_t image, Tensors inputs, Tensors outputs, std::byte* sums) const;
  /// Means from the sums of all blocks.
  void FinishMeans(const std::byte* sums, Tensors outputs) const;
  void LoadSign(EngineMode mode, const KernelSet& kernels) {
    if (sign_) sign_->Load(mode, kernels);
  }

 private:
  std::shared_ptr<Sign> sign_;
  bool has_residual_ = false;
  int64_t sum_bytes_ = 0;
  float quantized_factor_ = 0.0f;
};

/// How a block kernel's work on one block grows: a piece of some of the channels costs as much as `fixed`
/// channels more, since it builds its tables anew, and has `smallest` channels at least.
struct PieceCost {
  int fixed, smallest;
};

/// Into how many pieces of channels each of `blocks` blocks is cut: as many as let all threads be done first.
inline int64_t PiecesOf(int64_t blocks, int channels, int threads, const PieceCost& cost) {
  const auto time = [&](int64_t pieces) {
    const int64_t rounds = (blocks * pieces + threads - 1) / threads;
    return rounds * (cost.fixed + (channels + pieces - 1) / pieces);
  };
  int64_t best = 1;
  for (int64_t pieces = 2; pieces <= channels / cost.smallest; ++pieces) {
    if (time(pieces) < time(best)) best = pieces;
  }
  return best;
}

/// Shares the blocks of all images of `y`, and their channels where blocks are few, among the threads. Calls
/// `body(slot, image, range)`; ranges of one slot follow each other.
template <typename Body>
void ForEachBlockRange(const RunContext& context, const Tensor& y, const PieceCost& cost, const Body& body) {
  const int64_t blocks = BlocksOf(y.plane());
  const int64_t pieces = PiecesOf(y.batch * blocks, y.channels, context.pool.size(), cost);
  ForEachItem(context, y.batch * blocks * pieces, [&](int64_t slot, int64_t item) {
    const int64_t image = item / pieces / blocks, block = item / pieces % blocks, piece = item % pieces;
    body(slot, image,
         BlockRange{block, block + 1, static_cast<int>(y.channels * piece / pieces),
                    static_cast<int>(y.channels * (piece + 1) / pieces)});
  });
}

}  // namespace bdc
