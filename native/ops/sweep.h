#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "kernels/binary-block.h"
#include "ops/operation.h"
#include "ops/sign.h"

namespace bdc {

/// Blocks of kBlockPixels pixels (kernels/binary-block.h) of all images, shared among the threads; calls
/// `body(image, block)`.
template <typename Body>
void ForEachBlock(const RunContext& context, int64_t images, int64_t pixels, const Body& body) {
  const int64_t blocks = BlocksOf(pixels);
  context.pool.ParallelFor(0, images * blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t item = begin; item < end; ++item) body(item / blocks, item % blocks);
  });
}

/// One image of a real tensor as a kernel's stream.
InputStream StreamIn(const Tensor& tensor, int64_t image);
OutputStream StreamOut(const Tensor& tensor, int64_t image);
/// One image's sign planes.
uint64_t* SignsOf(const Tensor& tensor, int64_t image);

/// y = x · gate + residual and the sign planes that later convolutions take of y, in one pass over memory.
/// Gate and residual may be missing; so may y where only its signs are asked for.
class Sweep : public Operation {
 public:
  struct Parts {
    bool gate = false, residual = false, stream = false;
  };
  Sweep(const Parts& parts, std::vector<std::unique_ptr<Sign>> signs)
      : parts_(parts), signs_(std::move(signs)) {}

  const Parts& parts() const { return parts_; }
  /// The only sign of a sweep that does nothing else, which then goes elsewhere.
  std::unique_ptr<Sign> TakeSign() { return std::move(signs_[0]); }
  bool is_sign() const { return !parts_.stream && signs_.size() == 1; }

  void Load(EngineMode mode, const KernelSet& kernels) override;
  /// Inputs x, gate [N,C,1,1], residual; outputs y, then the planes of each sign.
  void Run(const RunContext& context, Tensors inputs, Tensors outputs) const override;

 private:
  Parts parts_;
  std::vector<std::unique_ptr<Sign>> signs_;
};

}  // namespace bdc
