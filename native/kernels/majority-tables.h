// A chunk's literals and its majority tables (majority-weights.h).
//
// Everything here has internal linkage on purpose: each including file is compiled for another instruction
// set.
#pragma once

#include <cstdint>
#include <cstring>

#include "kernels/bit-gather.h"
#include "kernels/majority-weights.h"

namespace bdc {
namespace {

template <typename Bits>
struct MajorityScratch {
  using Vector = typename Bits::Vector;
  /// Literals of a chunk, the one left over from the chunk before at 0, then those that full adders make.
  Vector queue[1 + 3 * kChunkLookups];
  /// Of the look-ups of a step, one behind the other: eight tables of a majority, or four of a majority and
  /// four of a pair's difference. Pairs: 16 entries begin where address bits below them are 0.
  alignas(kPairsLookups ? 16 * sizeof(Vector)
                        : alignof(Vector)) Vector tables[kChunkLookups / kLookupStep][kStepEntries];
  /// int16 values of one channel's block.
  alignas(64) int16_t values[kBlockPixels];

  /// [channels of the range][CounterVectors], right behind.
  Vector* counters() { return reinterpret_cast<Vector*>(this + 1); }
};

/// Literals of a chunk for output pixels from `pixel` on, into queue[1 …]; `phases`: PhasePlanes of the block
/// that begins at `begin`, where the convolution is one for them.
template <typename Bits>
inline void GatherLiterals(const BinaryBlockArgs& args, const MajorityChunk& chunk, int64_t begin,
                           int64_t pixel, const uint64_t* phases, MajorityScratch<Bits>* scratch) {
  using Vector = typename Bits::Vector;
  const BinaryConvShape& s = args.weights->shape();
  const bool has_phases = PhasePlanes::Takes(s), is_shifted = has_phases || IsShifted(s);
  const int64_t plane_words = has_phases ? 4 * PhasePlanes(s).words() : SignPlaneWords(s.InPixels());
  int literal = 2 * chunk.first;
  const int end = literal + 2 * chunk.lookups;
  Vector* to = scratch->queue + 1;
  while (literal < end) {
    if (literal >= s.Depth()) {
      *to++ = Bits::Zero();
      ++literal;
      continue;
    }
    const int tap = literal / s.in_channels, channel = literal % s.in_channels;
    const int ky = tap / s.kernel_w, kx = tap % s.kernel_w;
    const int stop = (tap + 1) * s.in_channels < end ? s.in_channels : channel + end - literal;
    literal += stop - channel;
    if (!is_shifted) {
      for (int c = channel; c < stop; ++c) {
        GatherTap(s, args.input + c * plane_words, ky, kx, pixel, Bits::kBits,
                  reinterpret_cast<uint64_t*>(to++));
      }
      continue;
    }
    alignas(64) uint64_t mask_words[Bits::kBits / 64] = {};
    ForEachValidRun(s, ky, kx, pixel, Bits::kBits,
                    [&](int at, int, int from, int to_x) { SetBits(mask_words, at, at + to_x - from); });
    const Vector mask = *reinterpret_cast<const Vector*>(mask_words);
    const int phase = 2 * PhaseTap(ky, s.pad_h).phase + PhaseTap(kx, s.pad_w).phase;
    const int64_t first_word = has_phases ? phase * PhasePlanes(s).words() : 0;
    const auto* const input =
        reinterpret_cast<const uint8_t*>((has_phases ? phases : args.input) + first_word);
    const int64_t input_bytes = (plane_words * s.in_channels - first_word) * 8;
    const int64_t bit = has_phases ? PhasePlanes::BitOf(s, begin, ky, kx, pixel)
                                   : pixel + int64_t{ky - s.pad_h} * s.in_width + kx - s.pad_w;
    const int64_t byte = bit >> 3;
    const int shift = static_cast<int>(bit & 7);
    for (int c = channel; c < stop; ++c) {
      // Bits of neighbouring planes are masked; only the ends of the whole input need care.
      const int64_t from = c * plane_words * 8 + byte;
      constexpr int kBytes = Bits::kBits / 8 + 8;
      if (from >= 0 && from + kBytes <= input_bytes) {
        *to++ = Bits::And(Bits::LoadShifted(input + from, shift), mask);
        continue;
      }
      uint8_t copy[kBytes] = {};
      const int64_t start = from < 0 ? 0 : from;
      const int64_t finish = from + kBytes < input_bytes ? from + kBytes : input_bytes;
      if (start < finish) std::memcpy(copy + (start - from), input + start, finish - start);
      *to++ = Bits::And(Bits::LoadShifted(copy, shift), mask);
    }
  }
}

/// The tables of pair `pair` of a step; returns the literal that its two full adders leave.
template <typename Bits>
inline typename Bits::Vector BuildPair(const typename Bits::Vector* literals, int pair,
                                       typename Bits::Vector* tables) {
  using Vector = typename Bits::Vector;
  Vector* const majorities = tables + 8 * pair;
  Vector* const differences = tables + 8 * kLookupStep / 2 + 16 * pair;
  const Vector parity = Bits::Xor3(literals[0], literals[1], literals[2]);
  Vector second[8];
  Bits::Majorities(literals[0], literals[1], literals[2], majorities);
  Bits::Majorities(parity, literals[3], literals[4], second);
#pragma GCC unroll 16
  for (int signs = 0; signs < 16; ++signs) {
    const int parity_sign = (signs ^ signs >> 1 ^ signs >> 2) & 1;
    differences[signs] = Bits::Xor(majorities[signs & 7], second[parity_sign | (signs >> 3) << 1]);
  }
  return Bits::Xor3(parity, literals[3], literals[4]);
}

/// The chunk's tables, and its last literal moved to the front of the queue for the next chunk.
template <typename Bits>
inline void BuildTables(const MajorityChunk& chunk, MajorityScratch<Bits>* scratch) {
  const auto* from = scratch->queue;
  auto* made = scratch->queue + 1 + 2 * chunk.lookups;
  if constexpr (kPairsLookups) {
    for (int i = 0; i < chunk.lookups / 2; ++i, from += 5) {
      *made++ = BuildPair<Bits>(from, i % (kLookupStep / 2), scratch->tables[i / (kLookupStep / 2)]);
    }
  } else {
    for (int i = 0; i < chunk.lookups; ++i, from += 3) {
      Bits::Majorities(from[0], from[1], from[2], scratch->tables[i / kLookupStep] + 8 * (i % kLookupStep));
      *made++ = Bits::Xor3(from[0], from[1], from[2]);
    }
  }
  scratch->queue[0] = made[-1];
}

}  // namespace
}  // namespace bdc
