#pragma once

#include "ops/planes.h"
#include "ops/sign.h"
#include "runtime/aligned_buffer.h"

namespace bdc {

/// Makes its output one channel plane after the other, in float32 whatever the tensors hold, and takes signs
/// of each while it is still in the cache.
class PlaneMaker : public SignMaker {
 public:
  void Load(EngineMode mode, const KernelSet& kernels) override { LoadSigns(mode, kernels); }
  int64_t ThreadScratchBytes() const override { return scratch_bytes_; }

 protected:
  /// Planes of at most so many pixels; `own_bytes` of scratch are the subclass's.
  void Reserve(int64_t in_pixels, int64_t out_pixels, int64_t own_bytes = 0) {
    constexpr int64_t kFloat = sizeof(float);
    out_begin_ = AlignedBytes(in_pixels * kFloat);
    own_begin_ = out_begin_ + AlignedBytes(out_pixels * kFloat);
    scratch_bytes_ = own_begin_ + AlignedBytes(own_bytes);
  }

  /// Calls `make(from, to, own scratch)` for each plane of inputs[0] and that of outputs[0] it becomes.
  template <typename Make>
  void MakePlanes(const RunContext& context, Tensors inputs, Tensors outputs, const Make& make) const {
    const Tensor& x = inputs[0];
    const Tensor& y = outputs[0];
    const int64_t grain = Grain(std::max(x.plane(), y.plane()));
    context.pool.ParallelFor(
        0, int64_t{x.batch} * x.channels, grain, [&](int64_t slot, int64_t begin, int64_t end) {
          std::byte* const scratch = context.ThreadScratch(slot);
          for (int64_t plane = begin; plane < end; ++plane) {
            float* const to = y.type == ElementType::kFloat16 ? reinterpret_cast<float*>(scratch + out_begin_)
                                                              : y.f32() + y.PlaneStart(plane);
            make(PlaneOf(context, x, plane, scratch), to, scratch + own_begin_);
            FinishPlane(context, plane, to, outputs);
          }
        });
  }

 private:
  /// Plane `plane` (counted over the channels of all images), in `made` if it isn't float32.
  const float* PlaneOf(const RunContext& context, const Tensor& x, int64_t plane, std::byte* made) const;
  /// Takes the signs of a plane of outputs[0] and puts it where it belongs.
  void FinishPlane(const RunContext& context, int64_t plane, const float* made, Tensors outputs) const;

  int64_t out_begin_ = 0, own_begin_ = 0, scratch_bytes_ = 0;
};

}  // namespace bdc
