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
  void TakeSign(std::unique_ptr<Sign> sign) { sign_ = std::move(sign); }
  bool TakeQuantizer(float factor) override {
    quantized_factor_ = factor;
    return true;
  }
  /// The mean of each channel becomes output 1, of `images` images of `pixels` pixels and `channels` channels
  /// at most.
  void TakeMean(int64_t images, int64_t pixels, int channels) {
    sum_bytes_ = AlignedBytes(images * BlocksOf(pixels) * channels * int64_t{sizeof(float)});
  }
  bool has_mean() const { return sum_bytes_ != 0; }
  bool has_residual() const { return has_residual_; }
  bool has_sign() const { return sign_ != nullptr; }

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
  std::unique_ptr<Sign> sign_;
  bool has_residual_ = false;
  int64_t sum_bytes_ = 0;
  float quantized_factor_ = 0.0f;
};

/// Shares the blocks of all images of `y`, and their channels where blocks are few, among the threads. Calls
/// `body(slot, image, range)`; ranges of one slot follow each other.
template <typename Body>
void ForEachBlockRange(const RunContext& context, const Tensor& y, const Body& body) {
  // A piece builds the tables of its block anew, so it should have many channels.
  constexpr int kFewestChannels = 16;
  const int64_t blocks = BlocksOf(y.plane()), threads = context.pool.size();
  const int64_t most_parts = std::max(1, y.channels / kFewestChannels);
  // As few parts as let no thread wait for more than a ninth of the time.
  const auto is_even = [&](int64_t parts) {
    const int64_t items = y.batch * blocks * parts, rounds = (items + threads - 1) / threads;
    return rounds * threads * 8 <= items * 9;
  };
  int64_t parts = 1;
  while (parts < most_parts && !is_even(parts)) ++parts;
  ForEachItem(context, y.batch * blocks * parts, [&](int64_t slot, int64_t item) {
    const int64_t image = item / parts / blocks, block = item / parts % blocks, part = item % parts;
    body(slot, image,
         BlockRange{block, block + 1, static_cast<int>(y.channels * part / parts),
                    static_cast<int>(y.channels * (part + 1) / parts)});
  });
}

}  // namespace bdc
