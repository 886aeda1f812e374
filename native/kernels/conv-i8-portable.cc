#include "kernels/conv-strip.h"
#include "kernels/float-portable.h"
#include "kernels/kernel-list.h"

namespace bdc {
namespace {

// As in conv-f32-portable.cc.
typedef int32_t Int4 __attribute__((vector_size(16), aligned(4), may_alias));
typedef int16_t Short8 __attribute__((vector_size(16), aligned(4), may_alias));

/// The bytes 0 and 2, or 1 and 3, of each word in 16 bits.
struct HalfQuads {
  Short8 even, odd;

  explicit HalfQuads(Int4 words) {
    const auto both = reinterpret_cast<Short8>(words);
    even = (both << 8) >> 8;
    odd = both >> 8;
  }
};

/// Up to 4 channels × 8 positions. Two products, at most 2 · 127², fit 16 bits.
struct PortableConvI8 {
  static constexpr int kPanel = 8;
  using Word = int32_t;
  using Float = FloatLanes<kPanel>;
  static constexpr int kFewestRows = 1, kMostRows = 4;
  static constexpr int kInputOffset = 0;

  template <int kRows>
  static void Run(const ConvTile<int32_t>& tile) {
    Int4 sums[kRows][2];
    for (int r = 0; r < kRows; ++r) {
      const Int4* c = reinterpret_cast<const Int4*>(tile.c + r * kPanel);
      for (int v = 0; v < 2; ++v) sums[r][v] = tile.start ? Int4{} + tile.start[r] : c[v];
    }
    const int32_t* weight = tile.weight;
    for (int k = 0; k < tile.depth; ++k, weight += kRows) {
      const Int4* pixels = reinterpret_cast<const Int4*>(tile.input + tile.taps[k]);
      const HalfQuads b[2] = {HalfQuads(pixels[0]), HalfQuads(pixels[1])};
      for (int r = 0; r < kRows; ++r) {
        const HalfQuads a(Int4{weight[r], weight[r], weight[r], weight[r]});
        for (int v = 0; v < 2; ++v) {
          const auto pairs = reinterpret_cast<Int4>(a.even * b[v].even + a.odd * b[v].odd);
          sums[r][v] += ((pairs << 16) >> 16) + (pairs >> 16);
        }
      }
    }
    for (int r = 0; r < kRows; ++r) {
      Int4* c = reinterpret_cast<Int4*>(tile.c + r * kPanel);
      c[0] = sums[r][0];
      c[1] = sums[r][1];
    }
  }
};

}  // namespace

const ConvKernel<int32_t> kConvI8Portable = MakeConvKernel<PortableConvI8>();

}  // namespace bdc
