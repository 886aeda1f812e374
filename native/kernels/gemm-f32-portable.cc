#include "kernels/gemm-f32-blocks.h"
#include "kernels/kernel-list.h"

namespace bdc {
namespace {

// Four floats, which every CPU of both architectures adds at once; GCC and Clang alike know the attribute.
typedef float Float4 __attribute__((vector_size(16), aligned(4), may_alias));

/// 4 × 8: 8 of the 16 registers an x86-64 CPU is sure to have hold sums.
struct PortableTile {
  static constexpr int kRows = 4;
  static constexpr int kPanel = 8;

  static void Run(const GemmTile& tile) {
    Float4 sums[kRows][2];
    for (int r = 0; r < kRows; ++r) {
      const Float4* c = reinterpret_cast<const Float4*>(tile.c + r * tile.c_stride);
      sums[r][0] = c[0];
      sums[r][1] = c[1];
    }
    for (int k = 0; k < tile.depth; ++k) {
      const Float4* b = reinterpret_cast<const Float4*>(tile.panel + k * kPanel);
      for (int r = 0; r < kRows; ++r) {
        const float a = tile.a[r * tile.a_stride + k];
        sums[r][0] += a * b[0];
        sums[r][1] += a * b[1];
      }
    }
    for (int r = 0; r < kRows; ++r) {
      Float4* c = reinterpret_cast<Float4*>(tile.c + r * tile.c_stride);
      c[0] = sums[r][0];
      c[1] = sums[r][1];
    }
  }
};

}  // namespace

void GemmF32Portable(const GemmArgs& args, int64_t begin, int64_t end) {
  RunGemm<PortableTile>(args, begin, end);
}

}  // namespace bdc
