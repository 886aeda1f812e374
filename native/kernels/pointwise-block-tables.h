// The table kernel (sum-table-weights.h) for vectors of Lanes::kPixels pixels.
//
//   for each vector of pixels
//     for each chunk of input channels, 128 mostly
//       its tables are built                                       (tables: L1)
//       for each output channel: the chunk's look-ups are summed   (sums: L2)
//   for each output channel: epilogue over the block
//
// Lanes: Vector, kPixels, Value (what a lane holds), Input; Zero, Add, Sub, LoadInput, StoreValue,
// AddToFloat.
//
// Everything here has internal linkage on purpose: each including file is compiled for another instruction
// set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/block-epilogue.h"
#include "kernels/sum-table-weights.h"

namespace bdc {
namespace {

/// Tables built at a time: 32 KB of 64-byte entries.
template <typename Lanes>
constexpr int kSumChunk = 32;

/// Sums of a channel that go on beside each other, as an addition takes longer than a look-up.
template <typename Lanes>
constexpr int kLookupSums = 4;

/// From one channel's sums of a block to the next one's. With a power of two they share few sets of L1, so
/// that a line is gone before its other half is written; whole lines should share them, and leave the rest to
/// tables.
constexpr int kSumsRowGap = 32;
template <typename Lanes>
constexpr int kSumsRow = kBlockPixels + (sizeof(typename Lanes::Vector) < 64 ? kSumsRowGap : 0);

template <typename Lanes>
struct SumTables {
  using Vector = typename Lanes::Vector;
  Vector table[kSumChunk<Lanes>][kSumEntries];
  /// [channels of the range], right behind; then the values [channels][kSumsRow].
  Vector* sums() { return reinterpret_cast<Vector*>(this + 1); }
};

/// Tables of groups [first, first + groups) for pixels from `pixel` on; channels past the last are 0.
template <typename Lanes>
inline void BuildSumTables(const typename Lanes::Input* input, int channels, int64_t pixels, int64_t pixel,
                           int first, int groups, SumTables<Lanes>* tables) {
  using Vector = typename Lanes::Vector;
  const int64_t left = pixels - pixel;
  for (int g = 0; g < groups; ++g) {
    Vector x[kSumGroup];
    for (int i = 0; i < kSumGroup; ++i) {
      const int channel = (first + g) * kSumGroup + i;
      if (channel >= channels) {
        x[i] = Lanes::Zero();
      } else if (left >= Lanes::kPixels) {
        x[i] = Lanes::LoadInput(input + channel * pixels + pixel);
      } else {
        typename Lanes::Input copy[Lanes::kPixels] = {};
        std::memcpy(copy, input + channel * pixels + pixel, left * sizeof(copy[0]));
        x[i] = Lanes::LoadInput(copy);
      }
    }
    const Vector sum = Lanes::Add(x[0], x[1]), difference = Lanes::Sub(x[0], x[1]);
    const Vector low[4] = {Lanes::Sub(Lanes::Zero(), sum), difference, Lanes::Sub(Lanes::Zero(), difference),
                           sum};
    const Vector sum2 = Lanes::Add(x[2], x[3]), difference2 = Lanes::Sub(x[2], x[3]);
    const Vector high[4] = {Lanes::Sub(Lanes::Zero(), sum2), difference2,
                            Lanes::Sub(Lanes::Zero(), difference2), sum2};
#pragma GCC unroll 16
    for (int i = 0; i < kSumEntries; ++i) tables->table[g][i] = Lanes::Add(low[i % 4], high[i / 4]);
  }
}

/// Sum of `groups` look-ups, a multiple of kSumLookupStep.
template <typename Lanes>
inline __attribute__((always_inline)) typename Lanes::Vector SumLookups(const SumTables<Lanes>& tables,
                                                                        const uint8_t* indices, int groups) {
  using Vector = typename Lanes::Vector;
  constexpr int kSums = kLookupSums<Lanes>;
  static_assert(kSums == 1 || kSums == 4);
  Vector sums[kSums];
#pragma GCC unroll 4
  for (Vector& sum : sums) sum = Lanes::Zero();
  const uint8_t* table = reinterpret_cast<const uint8_t*>(tables.table);
  for (int g = 0; g < groups; g += kSumLookupStep, table += kSumLookupStep * kSumEntries * sizeof(Vector)) {
    // One load for eight indices: a load each would compete with the tables for the load ports.
    uint64_t packed;
    std::memcpy(&packed, indices + g, sizeof packed);
#pragma GCC unroll 8
    for (int i = 0; i < kSumLookupStep; ++i) {
      const uint8_t* entry = table + i * kSumEntries * sizeof(Vector) + (packed & 255) * (sizeof(Vector) / 8);
      sums[i % kSums] = Lanes::Add(sums[i % kSums], *reinterpret_cast<const Vector*>(entry));
      packed >>= 8;
    }
  }
  if constexpr (kSums == 4) return Lanes::Add(Lanes::Add(sums[0], sums[1]), Lanes::Add(sums[2], sums[3]));
  return sums[0];
}

/// kWide: more groups than a lane can sum, so that float values collect lanes' sums (whole numbers below 2^24
/// are exact in them).
template <typename Lanes, typename Float, bool kWide>
inline void RunPointwiseBlocksOf(const PointwiseBlockArgs& args, const typename Lanes::Input* input,
                                 const BlockRange& range, std::byte* memory) {
  using Vector = typename Lanes::Vector;
  using Value = std::conditional_t<kWide, float, typename Lanes::Value>;
  constexpr int kChunk = kSumChunk<Lanes>;
  auto* tables = reinterpret_cast<SumTables<Lanes>*>(memory);
  const SumTableWeights& weights = *args.weights;
  const int channels = range.channel_end - range.channel_begin;
  Vector* sums = tables->sums();
  Value* values = reinterpret_cast<Value*>(sums + channels);
  for (int64_t block = range.block_begin; block < range.block_end; ++block) {
    const int64_t left = args.pixels - block * kBlockPixels;
    const int count = left < kBlockPixels ? static_cast<int>(left) : kBlockPixels;
    for (int at = 0; at < count; at += Lanes::kPixels) {
      for (int first = 0; first < weights.groups(); first += kChunk) {
        const int rest = weights.groups() - first, groups = rest < kChunk ? rest : kChunk;
        BuildSumTables<Lanes>(input, weights.in_channels(), args.pixels, block * kBlockPixels + at, first,
                              groups, tables);
        const bool fresh = first % kSumInt16Groups == 0;
        const bool last = first + groups == weights.groups();
        const bool full = last || (first + groups) % kSumInt16Groups == 0;
        const uint8_t* indices = weights.indices(range.channel_begin) + first;
        for (int c = 0; c < channels; ++c, indices += weights.groups()) {
          Vector sum = SumLookups<Lanes>(*tables, indices, groups);
          if (!(kWide ? fresh : first == 0)) sum = Lanes::Add(sum, sums[c]);
          Value* to = values + c * kSumsRow<Lanes> + at;
          if constexpr (kWide) {
            if (full) {
              Lanes::AddToFloat(to, sum, first < kSumInt16Groups);
              continue;
            }
          } else if (last) {
            Lanes::StoreValue(to, sum);
            continue;
          }
          sums[c] = sum;
        }
      }
    }
    RunEpilogues<Float>(args, range, block, weights.out_channels(), values, kSumsRow<Lanes>);
  }
}

/// Real sums; the lanes are Float's.
template <typename Float>
struct FloatSumLanes {
  using Vector = typename Float::Vector;
  using Value = float;
  using Input = float;
  static constexpr int kPixels = Float::kLanes;
  static Vector Zero() { return Float::Set(0.0f); }
  static Vector Add(const Vector& a, const Vector& b) { return Float::Add(a, b); }
  static Vector Sub(const Vector& a, const Vector& b) { return Float::Sub(a, b); }
  static Vector LoadInput(const float* from) { return Float::Load(from); }
  static void StoreValue(float* to, const Vector& x) { Float::Store(to, x); }
};

/// The same of float16 input.
template <typename Float>
struct HalfSumLanes : FloatSumLanes<Float> {
  using Input = uint16_t;
  static typename Float::Vector LoadInput(const uint16_t* from) { return Float::LoadHalf(from); }
};

template <typename Int16, typename Float, typename Half = HalfSumLanes<Float>,
          typename Real = FloatSumLanes<Float>>
inline void RunPointwiseBlocks(const PointwiseBlockArgs& args, const BlockRange& range, std::byte* memory) {
  if (args.input_f16 != nullptr) {
    RunPointwiseBlocksOf<Half, Float, false>(args, args.input_f16, range, memory);
  } else if (args.input_f32 != nullptr) {
    RunPointwiseBlocksOf<Real, Float, false>(args, args.input_f32, range, memory);
  } else if (args.weights->groups() > kSumInt16Groups) {
    RunPointwiseBlocksOf<Int16, Float, true>(args, args.input_s8, range, memory);
  } else {
    RunPointwiseBlocksOf<Int16, Float, false>(args, args.input_s8, range, memory);
  }
}

/// Scratch of either kernel: the int16 one with float values is the larger.
template <typename Int16>
inline int64_t PointwiseBlockScratch(int channels) {
  return static_cast<int64_t>(sizeof(SumTables<Int16>)) +
         int64_t{channels} *
             (static_cast<int64_t>(sizeof(typename Int16::Vector)) + (kBlockPixels + kSumsRowGap) * 4);
}

}  // namespace
}  // namespace bdc
