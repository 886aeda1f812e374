#include "kernels/float-portable.h"
#include "kernels/kernel-list.h"
#include "kernels/pointwise-block-tables.h"

namespace bdc {
namespace {

/// 32 pixels in plain loops.
struct Int16Portable {
  static constexpr int kPixels = 32;
  struct alignas(64) Vector {
    int16_t lane[kPixels];
  };
  using Value = int16_t;
  using Input = int8_t;
  static Vector Zero() { return {}; }
  static Vector Add(const Vector& a, const Vector& b) {
    Vector r;
    for (int i = 0; i < kPixels; ++i) r.lane[i] = static_cast<int16_t>(a.lane[i] + b.lane[i]);
    return r;
  }
  static Vector Sub(const Vector& a, const Vector& b) {
    Vector r;
    for (int i = 0; i < kPixels; ++i) r.lane[i] = static_cast<int16_t>(a.lane[i] - b.lane[i]);
    return r;
  }
  static Vector LoadInput(const int8_t* from) {
    Vector r;
    for (int i = 0; i < kPixels; ++i) r.lane[i] = from[i];
    return r;
  }
  static void StoreValue(int16_t* to, const Vector& x) { std::memcpy(to, x.lane, sizeof x.lane); }
  static void AddToFloat(float* to, const Vector& x, bool first) {
    for (int i = 0; i < kPixels; ++i) to[i] = static_cast<float>(x.lane[i]) + (first ? 0.0f : to[i]);
  }
};

}  // namespace

void PointwiseBlockPortable(const PointwiseBlockArgs& args, const BlockRange& range, std::byte* scratch) {
  RunPointwiseBlocks<Int16Portable, FloatPortable>(args, range, scratch);
}

int64_t PointwiseBlockScratchPortable(int channels) { return PointwiseBlockScratch<Int16Portable>(channels); }

}  // namespace bdc
