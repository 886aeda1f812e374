#include "kernels/conv-strip.h"
#include "kernels/float-portable.h"
#include "kernels/kernel-list.h"

namespace bdc {
namespace {

// Four floats, which every CPU of both architectures adds at once; GCC and Clang alike know the attribute.
typedef float Float4 __attribute__((vector_size(16), aligned(4), may_alias));

/// Up to 4 channels × 8 positions: 8 of the 16 registers an x86-64 CPU is sure to have hold sums.
struct PortableConvF32 {
  static constexpr int kPanel = 8;
  using Word = float;
  using Float = FloatLanes<kPanel>;
  static constexpr int kInputOffset = 0;
  static constexpr int kFewestRows = 1, kMostRows = 4;

  template <int kRows>
  static void Run(const ConvTile<float>& tile) {
    Float4 sums[kRows][2];
    for (int r = 0; r < kRows; ++r) {
      const Float4* c = reinterpret_cast<const Float4*>(tile.c + r * kPanel);
      for (int v = 0; v < 2; ++v) sums[r][v] = tile.start ? Float4{} + tile.start[r] : c[v];
    }
    const float* weight = tile.weight;
    for (int k = 0; k < tile.depth; ++k, weight += kRows) {
      const Float4* b = reinterpret_cast<const Float4*>(tile.input + tile.taps[k]);
      for (int r = 0; r < kRows; ++r) {
        sums[r][0] += weight[r] * b[0];
        sums[r][1] += weight[r] * b[1];
      }
    }
    for (int r = 0; r < kRows; ++r) {
      Float4* c = reinterpret_cast<Float4*>(tile.c + r * kPanel);
      c[0] = sums[r][0];
      c[1] = sums[r][1];
    }
  }
};

}  // namespace

const ConvKernel<float> kConvF32Portable = MakeConvKernel<PortableConvF32>();

}  // namespace bdc
