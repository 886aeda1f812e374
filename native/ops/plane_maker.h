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
  int64_t ThreadScratchBytes() const override { return OwnBegin() + AlignedBytes(own_bytes_); }
  /// Which of inputs[0] and outputs[0] are float16.
  void TakeHalves(bool reads, bool makes) {
    reads_halves_ = reads;
    makes_halves_ = makes;
  }

 protected:
  /// Planes of so many pixels; `own_bytes` of scratch are the subclass's.
  void SetSizes(int64_t in_pixels, int64_t out_pixels, int64_t own_bytes = 0) {
    in_pixels_ = in_pixels;
    out_pixels_ = out_pixels;
    own_bytes_ = own_bytes;
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
            float* const to = y.type == ElementType::kFloat16 ? reinterpret_cast<float*>(scratch + OutBegin())
                                                              : y.f32() + y.PlaneStart(plane);
            make(PlaneOf(context, x, plane, scratch), to, scratch + OwnBegin());
            FinishPlane(context, plane, to, outputs);
          }
        });
  }

 private:
  /// Plane `plane` (counted over the channels of all images), in `made` if it isn't float32.
  const float* PlaneOf(const RunContext& context, const Tensor& x, int64_t plane, std::byte* made) const;
  /// Takes the signs of a plane of outputs[0] and puts it where it belongs.
  void FinishPlane(const RunContext& context, int64_t plane, const float* made, Tensors outputs) const;

  // A thread's scratch: a plane of floats of each side that has none, and what is the subclass's.
  static int64_t FloatBytes(int64_t values) { return AlignedBytes(values * int64_t{sizeof(float)}); }
  int64_t OutBegin() const { return reads_halves_ ? FloatBytes(in_pixels_) : 0; }
  int64_t OwnBegin() const { return OutBegin() + (makes_halves_ ? FloatBytes(out_pixels_) : 0); }

  int64_t in_pixels_ = 0, out_pixels_ = 0, own_bytes_ = 0;
  bool reads_halves_ = false, makes_halves_ = false;
};

}  // namespace bdc
