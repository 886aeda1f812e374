// W1A8 by tables that lie in registers (register-table-weights.h).
//
//   for each tile of 32 pixels
//     for each chunk of groups of input channels
//       the tile's values are laid out as tables are made of them           (L1)
//       for up to eight vectors of output channels, and two pixels or more
//         for each group: a table for each pixel; look-ups are added up     (registers)
//       sums [pixel][output channel] become [output channel][pixel]         (L2)
//   for each output channel: epilogue over the block
#include <immintrin.h>

#include "kernels/block-epilogue.h"
#include "kernels/float-avx512.h"
#include "kernels/kernel-list.h"
#include "kernels/register-table-weights.h"

namespace bdc {
namespace {

constexpr int kLanes = kRegisterTableLanes;
constexpr int kTilePixels = 32;
/// So many groups' sums fit 16 bits: 258 · 127 < 2^15.
constexpr int kChunkGroups = 43;
/// From one channel's sums of a block to the next one's: with a power of two they would share few sets of L1.
constexpr int kSumsRow = kBlockPixels + 32;
/// Vectors of output channels whose sums of two pixels registers hold.
constexpr int kMostVectors = 8;

constexpr int PixelsTogether(int vectors) { return vectors > 4 ? 2 : vectors > 1 ? 4 : 8; }

int VectorsOf(int channels) { return (channels + kLanes - 1) / kLanes; }

/// The lanes whose number has bit `bit` set.
constexpr uint32_t kLanesWithBit[] = {0xaaaaaaaa, 0xcccccccc, 0xf0f0f0f0, 0xff00ff00, 0xffff0000};

/// Channels a … f of a tile's pixels.
struct alignas(64) Group {
  int64_t ab[kTilePixels];                 // 0, 2a, 2b, 2a + 2b in 16 bits each, at PlaceOf(pixel)
  int16_t cd[kTilePixels];                 // a byte each
  int16_t e[kTilePixels], f[kTilePixels];  // doubled
};

/// The order in which unpacking leaves pixels.
constexpr int PlaceOf(int pixel) { return pixel % 8 / 2 * 8 + pixel / 8 * 2 + pixel % 2; }

struct TileMemory {
  Group groups[kChunkGroups];
  /// −Σ of a pixel's values.
  alignas(64) int16_t start[kTilePixels];
  /// [kTilePixels][vectors · kLanes], right behind; then the sums of a block, [channels][kSumsRow].
  int16_t* sums() { return reinterpret_cast<int16_t*>(this + 1); }
};

void LayOutGroup(const __m512i (&x)[kRegisterTableChannels], Group* group) {
  const __m512i zero = _mm512_setzero_si512();
  const __m512i a = _mm512_slli_epi16(x[0], 1), b = _mm512_slli_epi16(x[1], 1);
  const __m512i both = _mm512_add_epi16(a, b);
  const __m512i first[2] = {_mm512_unpacklo_epi16(zero, a), _mm512_unpackhi_epi16(zero, a)};
  const __m512i second[2] = {_mm512_unpacklo_epi16(b, both), _mm512_unpackhi_epi16(b, both)};
  for (int half = 0; half < 2; ++half) {
    _mm512_store_si512(group->ab + 16 * half, _mm512_unpacklo_epi32(first[half], second[half]));
    _mm512_store_si512(group->ab + 16 * half + 8, _mm512_unpackhi_epi32(first[half], second[half]));
  }
  constexpr __mmask64 kHighBytes = 0xaaaaaaaaaaaaaaaa;
  _mm512_store_si512(group->cd, _mm512_mask_blend_epi8(kHighBytes, x[2], _mm512_slli_epi16(x[3], 8)));
  _mm512_store_si512(group->e, _mm512_slli_epi16(x[4], 1));
  _mm512_store_si512(group->f, _mm512_slli_epi16(x[5], 1));
}

/// Groups [first, first + count) of the tile at `pixel`, whose pixels are those of `mask`; channels past the
/// last are 0.
void LayOutTile(const PointwiseBlockArgs& args, int64_t pixel, __mmask32 mask, int first, int count,
                TileMemory* memory) {
  const int channels = args.registers->in_channels();
  __m512i start = _mm512_setzero_si512();
  for (int g = 0; g < count; ++g) {
    __m512i x[kRegisterTableChannels];
#pragma GCC unroll 6
    for (int i = 0; i < kRegisterTableChannels; ++i) {
      const int channel = (first + g) * kRegisterTableChannels + i;
      x[i] = _mm512_setzero_si512();
      if (channel < channels) {
        x[i] = _mm512_cvtepi8_epi16(
            _mm256_maskz_loadu_epi8(mask, args.input_s8 + channel * args.pixels + pixel));
      }
      start = _mm512_sub_epi16(start, x[i]);
    }
    LayOutGroup(x, &memory->groups[g]);
  }
  _mm512_store_si512(memory->start, start);
}

/// Σ ±value of all pixels of a tile for kVectors vectors of output channels, [pixel][row], over `count`
/// groups. A table holds Σ 2 · value over the bits that are set in an entry's number; with −Σ value that
/// makes Σ ±value, modulo 2^16 like all sums on the way.
template <int kVectors>
void SumLookUps(const TileMemory& memory, int count, const uint16_t* indices, int64_t indices_row,
                int16_t* sums, int64_t row) {
  constexpr int kPixels = PixelsTogether(kVectors);
  const __m512i cd_factors = _mm512_or_si512(_mm512_maskz_set1_epi16(kLanesWithBit[2], 0x0002),
                                             _mm512_maskz_set1_epi16(kLanesWithBit[3], 0x0200));
  for (int pixel = 0; pixel < kTilePixels; pixel += kPixels) {
    __m512i sum[kPixels][kVectors];
#pragma GCC unroll 8
    for (int p = 0; p < kPixels; ++p) {
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) sum[p][v] = _mm512_set1_epi16(memory.start[pixel + p]);
    }
    const uint16_t* group_indices = indices;
    for (int g = 0; g < count; ++g, group_indices += indices_row) {
      const Group& group = memory.groups[g];
      __m512i low[kPixels], high[kPixels];
#pragma GCC unroll 8
      for (int p = 0; p < kPixels; ++p) {
        const int at = pixel + p;
        const __m512i ab = _mm512_set1_epi64(group.ab[PlaceOf(pixel) + PlaceOf(p)]);
        const __m512i abcd =
            _mm512_add_epi16(ab, _mm512_maddubs_epi16(cd_factors, _mm512_set1_epi16(group.cd[at])));
        low[p] = _mm512_mask_add_epi16(abcd, kLanesWithBit[4], abcd, _mm512_set1_epi16(group.e[at]));
        high[p] = _mm512_add_epi16(low[p], _mm512_set1_epi16(group.f[at]));
      }
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) {
        const __m512i index = _mm512_loadu_si512(group_indices + v * kLanes);
#pragma GCC unroll 8
        for (int p = 0; p < kPixels; ++p) {
          sum[p][v] = _mm512_add_epi16(sum[p][v], _mm512_permutex2var_epi16(low[p], index, high[p]));
        }
      }
    }
#pragma GCC unroll 8
    for (int p = 0; p < kPixels; ++p) {
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) _mm512_store_si512(sums + (pixel + p) * row + v * kLanes, sum[p][v]);
    }
  }
}

template <int kVectors = kMostVectors, typename... Arguments>
void SumVectors(int vectors, const Arguments&... arguments) {
  if (vectors == kVectors) {
    SumLookUps<kVectors>(arguments...);
  } else if constexpr (kVectors > 1) {
    SumVectors<kVectors - 1>(vectors, arguments...);
  }
}

/// Lane j of row i → lane i of row j.
inline __attribute__((always_inline)) void Transpose(__m512i (&rows)[16]) {
  __m512i pairs[16], fours[16];
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {
    pairs[i] = _mm512_unpacklo_epi32(rows[i], rows[i + 1]);
    pairs[i + 1] = _mm512_unpackhi_epi32(rows[i], rows[i + 1]);
  }
  // fours[i + j]: lanes j, 4 + j, 8 + j and 12 + j of rows i … i + 3
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4) {
    fours[i] = _mm512_unpacklo_epi64(pairs[i], pairs[i + 2]);
    fours[i + 1] = _mm512_unpackhi_epi64(pairs[i], pairs[i + 2]);
    fours[i + 2] = _mm512_unpacklo_epi64(pairs[i + 1], pairs[i + 3]);
    fours[i + 3] = _mm512_unpackhi_epi64(pairs[i + 1], pairs[i + 3]);
  }
  constexpr int kEven = 0x88, kOdd = 0xdd;  // quarters 0 and 2, or 1 and 3, of both operands
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) {
    const __m512i low_even = _mm512_shuffle_i32x4(fours[j], fours[4 + j], kEven);
    const __m512i low_odd = _mm512_shuffle_i32x4(fours[j], fours[4 + j], kOdd);
    const __m512i high_even = _mm512_shuffle_i32x4(fours[8 + j], fours[12 + j], kEven);
    const __m512i high_odd = _mm512_shuffle_i32x4(fours[8 + j], fours[12 + j], kOdd);
    rows[j] = _mm512_shuffle_i32x4(low_even, high_even, kEven);
    rows[4 + j] = _mm512_shuffle_i32x4(low_odd, high_odd, kEven);
    rows[8 + j] = _mm512_shuffle_i32x4(low_even, high_even, kOdd);
    rows[12 + j] = _mm512_shuffle_i32x4(low_odd, high_odd, kOdd);
  }
}

inline void Put(int16_t* to, __m512i sums, bool) { _mm512_store_si512(to, sums); }

inline void Put(float* to, __m512i sums, bool is_first) { FloatAvx512::AddInt16To(to, sums, is_first); }

/// A vector of output channels, of which there are `channels`: [pixel][row] → [channel][kSumsRow], added
/// to what is there unless these sums are the first.
template <typename Sum>
void TurnSums(const int16_t* sums, int64_t row, int channels, Sum* to, bool is_first) {
  for (int half = 0; half < 2; ++half) {
    __m512i rows[16];  // two pixels' sums of a channel in a lane
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) {
      const __m512i even = _mm512_load_si512(sums + 2 * i * row);
      const __m512i odd = _mm512_load_si512(sums + (2 * i + 1) * row);
      rows[i] = half == 0 ? _mm512_unpacklo_epi16(even, odd) : _mm512_unpackhi_epi16(even, odd);
    }
    Transpose(rows);
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) {
      const int channel = i / 4 * 8 + half * 4 + i % 4;
      if (channel < channels) Put(to + channel * kSumsRow, rows[i], is_first);
    }
  }
}

/// Sum: float where there are more groups than 16 bits can sum; they collect the chunks' sums, whole numbers
/// below 2^24, exactly.
template <typename Sum>
void RunBlocks(const PointwiseBlockArgs& args, const BlockRange& range, std::byte* scratch) {
  const RegisterTableWeights& weights = *args.registers;
  auto* const memory = reinterpret_cast<TileMemory*>(scratch);
  const int channels = range.channel_end - range.channel_begin, vectors = VectorsOf(channels);
  const int64_t row = int64_t{vectors} * kLanes;
  int16_t* const tile_sums = memory->sums();
  auto* const block_sums = reinterpret_cast<Sum*>(tile_sums + kTilePixels * row);
  for (int64_t block = range.block_begin; block < range.block_end; ++block) {
    const int64_t begin = block * kBlockPixels, left = args.pixels - begin;
    const int pixels = left < kBlockPixels ? static_cast<int>(left) : kBlockPixels;
    for (int at = 0; at < pixels; at += kTilePixels) {
      const __mmask32 mask = pixels - at < kTilePixels ? (1u << (pixels - at)) - 1 : ~0u;
      for (int first = 0; first < weights.groups(); first += kChunkGroups) {
        const int rest = weights.groups() - first, count = rest < kChunkGroups ? rest : kChunkGroups;
        LayOutTile(args, begin + at, mask, first, count, memory);
        for (int v = 0; v < vectors; v += kMostVectors) {
          const int together = vectors - v < kMostVectors ? vectors - v : kMostVectors;
          SumVectors(together, *memory, count, weights.indices(first, range.channel_begin + v * kLanes),
                     int64_t{weights.row()}, tile_sums + v * kLanes, row);
        }
        for (int v = 0; v < vectors; ++v) {
          TurnSums(tile_sums + v * kLanes, row, channels - v * kLanes,
                   block_sums + int64_t{v} * kLanes * kSumsRow + at, first == 0);
        }
      }
    }
    RunEpilogues<FloatAvx512>(args, range, block, weights.out_channels(), block_sums, kSumsRow);
  }
}

}  // namespace

void PointwiseRegistersAvx512(const PointwiseBlockArgs& args, const BlockRange& range, std::byte* scratch) {
  if (args.registers->groups() > kChunkGroups) {
    RunBlocks<float>(args, range, scratch);
  } else {
    RunBlocks<int16_t>(args, range, scratch);
  }
}

int64_t PointwiseRegistersScratchAvx512(int channels) {
  return static_cast<int64_t>(sizeof(TileMemory)) +
         int64_t{kTilePixels} * VectorsOf(channels) * kLanes * static_cast<int64_t>(sizeof(int16_t)) +
         int64_t{channels} * kSumsRow * static_cast<int64_t>(sizeof(float));
}

}  // namespace bdc
