#pragma once

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "kernels/binary-block.h"
#include "ops/activations.h"
#include "ops/operation.h"
#include "ops/planes.h"
#include "ops/sign.h"

namespace bdc {

/// Channels of all images, whole planes of them, shared among the threads; calls `body(image, range)`.
template <typename Body>
void ForEachSweepRange(const RunContext& context, const Tensor& x, const Body& body) {
  constexpr int kRangesPerThread = 4, kFewestChannels = 4;
  const int64_t wanted = (kRangesPerThread * context.pool.size() + x.batch - 1) / x.batch;
  const int64_t pieces = std::clamp<int64_t>(wanted, 1, std::max(1, x.channels / kFewestChannels));
  ForEachItem(context, x.batch * pieces, [&](int64_t, int64_t item) {
    const int64_t image = item / pieces, piece = item % pieces;
    body(image, BlockRange{0, BlocksOf(x.plane()), static_cast<int>(x.channels * piece / pieces),
                           static_cast<int>(x.channels * (piece + 1) / pieces)});
  });
}

/// One image of a real tensor as a kernel's stream.
InputStream StreamIn(const Tensor& tensor, int64_t image);
OutputStream StreamOut(const Tensor& tensor, int64_t image);
/// One image's sign planes.
uint64_t* SignsOf(const Tensor& tensor, int64_t image);

/// y = (((scale · x + bias) · gate + residual) + addend) · factor and the sign planes that later
/// convolutions take of y, in one pass over memory. All but x may be missing; so may y where only its signs
/// are asked for, or be int8.
class Sweep : public SignMaker {
 public:
  struct Parts {
    bool gate = false, residual = false, addend = false, stream = false;
    float factor = 1.0f;
    float quantized_factor = 0.0f;  // 0: no int8 output
    /// Inputs x, gate [N,C,1,1], residual, addend: where each is, of those that there are.
    size_t ResidualAt() const { return gate ? 2 : 1; }
    size_t AddendAt() const { return ResidualAt() + (residual ? 1 : 0); }
  };
  Sweep(const Parts& parts, std::vector<PlacedSign> signs, std::unique_ptr<BatchNorm> norm = nullptr)
      : SignMaker(std::move(signs)), parts_(parts), norm_(std::move(norm)) {}

  const Parts& parts() const { return parts_; }
  bool has_norm() const { return norm_ != nullptr; }
  std::unique_ptr<BatchNorm> TakeNorm() { return std::move(norm_); }
  /// Takes signs of a tensor and does nothing else.
  bool is_sign() const { return !parts_.stream && parts_.quantized_factor == 0.0f && signs().size() == 1; }
  bool TakeQuantizer(float factor) override {
    if (!parts_.stream) return false;
    parts_.quantized_factor = factor;
    return true;
  }
  bool MayOverwrite(size_t input) const override { return parts_.stream && !(parts_.gate && input == 1); }

  void Load(EngineMode mode, const KernelSet& kernels) override;
  /// Inputs as Parts says; outputs y, then the planes of each sign, then the int8 values where y isn't they.
  void Run(const RunContext& context, Tensors inputs, Tensors outputs) const override;

 private:
  /// Channels [first, first + count), of which each sign takes all or none.
  struct Section {
    int first, count;
  };
  void RunSection(const RunContext& context, const Section& section, Tensors inputs, Tensors outputs) const;

  Parts parts_;
  std::unique_ptr<BatchNorm> norm_;
};

}  // namespace bdc
