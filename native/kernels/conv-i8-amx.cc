#include <immintrin.h>

#include "kernels/conv-strip.h"
#include "kernels/float-avx512.h"
#include "kernels/kernel-list.h"
#include "kernels/tile-configuration.h"

namespace bdc {
namespace {

/// 32 channels × 32 positions: tiles 0 … 3 are sums, 4 and 5 weights of 16 channels × 16 taps, 6 and 7
/// pixels, a row for each tap.
struct AmxConvI8 {
  using Word = int32_t;
  using Float = FloatAvx512;
  static constexpr int kFewestRows = 32, kMostRows = 32;
  static constexpr int kPanel = 32;
  static constexpr int kGroup = 16;

  template <int kRows>
  static void Run(const ConvTile<int32_t>& tile) {
    constexpr int kHalf = 16, kLower = kHalf * kPanel, kRowBytes = kPanel * sizeof(int32_t);
    constexpr int kTileWords = kHalf * kGroup;
    // Tile loads don't tell the compiler that they read memory.
    asm volatile("" ::: "memory");
    if (tile.start != nullptr) {  // zeros: kInputOffset is 0
      _tile_zero(0);
      _tile_zero(1);
      _tile_zero(2);
      _tile_zero(3);
    } else {
      _tile_loadd(0, tile.c, kRowBytes);
      _tile_loadd(1, tile.c + kHalf, kRowBytes);
      _tile_loadd(2, tile.c + kLower, kRowBytes);
      _tile_loadd(3, tile.c + kLower + kHalf, kRowBytes);
    }
    const int32_t* weight = tile.weight;
    const int64_t step = (tile.taps[1] - tile.taps[0]) * int64_t{sizeof(int32_t)};
    for (int k = 0; k < tile.depth; k += kGroup, weight += 2 * kTileWords) {
      const int32_t* pixels = tile.input + tile.taps[k];
      _tile_loadd(4, weight, kGroup * sizeof(int32_t));
      _tile_loadd(6, pixels, step);
      _tile_dpbssd(0, 4, 6);
      _tile_loadd(7, pixels + kHalf, step);
      _tile_dpbssd(1, 4, 7);
      _tile_loadd(5, weight + kTileWords, kGroup * sizeof(int32_t));
      _tile_dpbssd(2, 5, 6);
      _tile_dpbssd(3, 5, 7);
    }
    _tile_stored(0, tile.c, kRowBytes);
    _tile_stored(1, tile.c + kHalf, kRowBytes);
    _tile_stored(2, tile.c + kLower, kRowBytes);
    _tile_stored(3, tile.c + kLower + kHalf, kRowBytes);
  }
};

void RunTiles(const ConvI8Args& args, int begin, int end) {
  const TileConfiguration configuration;
  _tile_loadconfig(&configuration);
  RunConv<AmxConvI8>(args, begin, end);
  _tile_release();
}

}  // namespace

const ConvKernel<int32_t> kConvI8Amx = {
    .run = RunTiles, .rows = AmxConvI8::kMostRows, .group = AmxConvI8::kGroup};

}  // namespace bdc
