// A 1×1 layer of binary weights on AMX (tile-weights.h).
//
//   for each block of pixels
//     its input is laid out in tiles                                        (L2)
//     for each pair of output channel tiles
//       for each pair of pixel tiles: all chunks are summed in tiles        (sums of the block: L2)
//       epilogue of 32 channels over the block
#include <immintrin.h>

#include <algorithm>

#include "kernels/block-epilogue.h"
#include "kernels/float-avx512.h"
#include "kernels/kernel-list.h"
#include "kernels/tile-configuration.h"
#include "kernels/tile-weights.h"

namespace bdc {
namespace {

/// Between rows of the input, in which a pixel takes four bytes, and between channels of the sums: an odd
/// number of cache lines, so that the rows of a tile fall into different sets.
constexpr int64_t kRowBytes = kBlockPixels * 4 + 64;
constexpr int64_t kTermBytes = kTileRows * kRowBytes;

int64_t InputBytes(const TileWeights& weights) {
  return weights.chunks() * kTermBytes * (weights.element() == TileElement::kInt8 ? 1 : kTileFloatTerms);
}

__mmask64 FirstOf64(int count) { return count >= 64 ? ~__mmask64{0} : (__mmask64{1} << count) - 1; }
__mmask16 FirstOf16(int count) { return static_cast<__mmask16>(count >= 16 ? 0xffff : (1u << count) - 1); }

/// Four channels of 64 pixels, a vector each → 64 pixels of four bytes.
inline void StoreQuads(const __m512i (&channel)[4], std::byte* to) {
  // 128-bit lanes stay apart in what follows: lane l gets pixels 16·j + 4·l … of each vector j to be made.
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  __m512i x[4];
  for (int i = 0; i < 4; ++i) x[i] = _mm512_permutexvar_epi32(order, channel[i]);
  const __m512i low01 = _mm512_unpacklo_epi8(x[0], x[1]), high01 = _mm512_unpackhi_epi8(x[0], x[1]);
  const __m512i low23 = _mm512_unpacklo_epi8(x[2], x[3]), high23 = _mm512_unpackhi_epi8(x[2], x[3]);
  _mm512_store_si512(to, _mm512_unpacklo_epi16(low01, low23));
  _mm512_store_si512(to + 64, _mm512_unpackhi_epi16(low01, low23));
  _mm512_store_si512(to + 128, _mm512_unpacklo_epi16(high01, high23));
  _mm512_store_si512(to + 192, _mm512_unpackhi_epi16(high01, high23));
}

/// Tile rows of four channels. Rows whose channels are all past the last are left as they are: their weights
/// are 0.
void LayOut(const PointwiseBlockArgs& args, int channels, int64_t pixel, int count, std::byte* to) {
  for (int first = 0; first < channels; first += 4, to += kRowBytes) {
    for (int i = 0; i < count; i += 64) {
      const __mmask64 valid = FirstOf64(count - i);
      __m512i channel[4];
      for (int c = 0; c < 4; ++c) {
        const int8_t* from = args.input_s8 + (first + c) * args.pixels + pixel + i;
        channel[c] = first + c < channels ? _mm512_maskz_loadu_epi8(valid, from) : _mm512_setzero_si512();
      }
      StoreQuads(channel, to + 4 * i);
    }
  }
}

/// Tile rows of two channels; a chunk's 16 rows hold the first of the terms of each value, the next 16
/// the second. A term takes the upper eight bits of what is left, so the last leaves nothing. Rows past the
/// last channel are 0: a product of anything that is no number with 0 would be none either.
template <int kTerms>
void LayOutTerms(const PointwiseBlockArgs& args, const TileWeights& weights, int64_t pixel, int count,
                 std::byte* to) {
  const __m512i upper = _mm512_set1_epi32(static_cast<int>(0xffff0000u));
  for (int row = 0; row < weights.chunks() * kTileRows; ++row) {
    std::byte* const first = to + row / kTileRows * kTerms * kTermBytes + row % kTileRows * kRowBytes;
    for (int i = 0; i < count; i += 16) {
      const __mmask16 valid = FirstOf16(count - i);
      __m512 x[2];
      for (int c = 0; c < 2; ++c) {
        const int channel = 2 * row + c;
        const int64_t at = channel * args.pixels + pixel + i;
        if (channel >= weights.in_channels()) {
          x[c] = _mm512_setzero_ps();
        } else if (kTerms == kTileHalfTerms) {
          x[c] = _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(valid, args.input_f16 + at));
        } else {
          x[c] = _mm512_maskz_loadu_ps(valid, args.input_f32 + at);
        }
      }
      for (int term = 0; term < kTerms; ++term) {
        const __m512i a = _mm512_castps_si512(x[0]), b = _mm512_castps_si512(x[1]);
        // (b & upper) | a >> 16
        const __m512i both = _mm512_ternarylogic_epi32(b, upper, _mm512_srli_epi32(a, 16), 0xea);
        _mm512_store_si512(first + term * kTermBytes + 4 * i, both);
        x[0] = _mm512_sub_ps(x[0], _mm512_castsi512_ps(_mm512_and_si512(a, upper)));
        x[1] = _mm512_sub_ps(x[1], _mm512_castsi512_ps(_mm512_and_si512(b, upper)));
      }
    }
  }
}

/// 32 channels × 32 pixels. Tiles 0 … 3 are sums, 4 and 5 weights, 6 and 7 input.
template <TileElement kElement, int kTerms>
inline __attribute__((always_inline)) void RunTiles(const std::byte* weights, int chunks,
                                                    const std::byte* input, std::byte* sums) {
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (int i = 0; i < chunks; ++i, weights += 2 * kTileBytes) {
    _tile_loadd(4, weights, 64);
    _tile_loadd(5, weights + kTileBytes, 64);
    for (int term = 0; term < kTerms; ++term, input += kTermBytes) {
      _tile_loadd(6, input, kRowBytes);
      _tile_loadd(7, input + 64, kRowBytes);
      if constexpr (kElement == TileElement::kInt8) {
        _tile_dpbssd(0, 4, 6);
        _tile_dpbssd(1, 4, 7);
        _tile_dpbssd(2, 5, 6);
        _tile_dpbssd(3, 5, 7);
      } else {
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
      }
    }
  }
  _tile_stored(0, sums, kRowBytes);
  _tile_stored(1, sums + 64, kRowBytes);
  _tile_stored(2, sums + kTileRows * kRowBytes, kRowBytes);
  _tile_stored(3, sums + kTileRows * kRowBytes + 64, kRowBytes);
}

template <TileElement kElement, int kTerms>
inline void RunTileBlocks(const PointwiseBlockArgs& args, const BlockRange& range, std::byte* scratch) {
  const TileWeights& weights = *args.tiles;
  std::byte* const sums = scratch + InputBytes(weights);
  const TileConfiguration configuration;
  _tile_loadconfig(&configuration);
  for (int64_t block = range.block_begin; block < range.block_end; ++block) {
    const int64_t pixel = block * kBlockPixels, left = args.pixels - pixel;
    const int count = static_cast<int>(std::min<int64_t>(left, kBlockPixels));
    if constexpr (kElement == TileElement::kInt8) {
      LayOut(args, weights.in_channels(), pixel, count, scratch);
    } else {
      LayOutTerms<kTerms>(args, weights, pixel, count, scratch);
    }
    // Tile loads don't tell the compiler that they read memory.
    asm volatile("" ::: "memory");
    for (int pair = range.channel_begin / kTilePair; pair * kTilePair < range.channel_end; ++pair) {
      for (int64_t at = 0; at < count; at += kTilePair) {
        RunTiles<kElement, kTerms>(weights.panel(pair), weights.chunks(), scratch + 4 * at, sums + 4 * at);
      }
      const int begin = std::max(range.channel_begin, pair * kTilePair);
      const int end = std::min(range.channel_end, (pair + 1) * kTilePair);
      for (int channel = begin; channel < end; ++channel) {
        const ChannelEpilogue epilogue =
            EpilogueOf(args.epilogue, weights.out_channels(), channel, block, args.pixels);
        const std::byte* row = sums + (channel - pair * kTilePair) * kRowBytes;
        RunEpilogue<FloatAvx512>(epilogue, left, [row](int i) {
          const __m512i x = _mm512_load_si512(row + 4 * i);
          return kElement == TileElement::kInt8 ? _mm512_cvtepi32_ps(x) : _mm512_castsi512_ps(x);
        });
      }
    }
  }
  _tile_release();
}

}  // namespace

void PointwiseTilesAmx(const PointwiseBlockArgs& args, const BlockRange& range, std::byte* scratch) {
  if (args.tiles->element() == TileElement::kInt8) {
    RunTileBlocks<TileElement::kInt8, 1>(args, range, scratch);
  } else if (args.input_f16 != nullptr) {
    RunTileBlocks<TileElement::kBfloat16, kTileHalfTerms>(args, range, scratch);
  } else {
    RunTileBlocks<TileElement::kBfloat16, kTileFloatTerms>(args, range, scratch);
  }
}

int64_t PointwiseTilesScratchAmx(const TileWeights& weights) {
  return InputBytes(weights) + kTilePair * kRowBytes;
}

}  // namespace bdc
