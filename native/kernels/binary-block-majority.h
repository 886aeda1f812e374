// The majority kernel (majority-weights.h) for vectors of Bits::kBits pixels.
//
//   for each vector of output pixels
//     for each chunk of literals
//       the chunk's literals are gathered and its majority tables built        (queue, tables: L1)
//       for each output channel: 64 look-ups are summed by carry-save adders   (counters: L2)
//     for each output channel: counters → 16-bit values
//   for each output channel: epilogue over the block
//
// Everything here has internal linkage on purpose: each including file is compiled for another instruction
// set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "kernels/bit-gather.h"
#include "kernels/block-epilogue.h"
#include "kernels/majority-weights.h"
#include "kernels/quantized-table.h"

namespace bdc {
namespace {

/// Counters that stay in registers: weights 2¹ … 2⁶.
constexpr int kLowPlanes = 6;
/// Planes of weights 2¹ … 2¹³: what a depth of kMajorityMaxDepth needs.
constexpr int kMaxPlanes = 13;

/// Where the tables of kLookupStep look-ups lie interleaved, entry e of look-up i at 8 · e + i: a look-up's
/// index is then all that its address needs, whatever i is.
template <typename Bits>
concept InterleavesTables = requires(typename Bits::Vector (&x)[8]) {
  Bits::LookUp(x, uint64_t{}, x);
};

/// Vectors whose counts become int8 values by a QuantizedTable.
template <typename Bits>
concept LooksUpQuantized = requires {
  &Bits::template LookUpQuantized<kMaxPlanes>;
};

template <typename Bits>
struct MajorityScratch {
  using Vector = typename Bits::Vector;
  /// Literals of a chunk, the one left over from the chunk before at 0, then those that full adders make.
  Vector queue[1 + 3 * kChunkLookups];
  Vector tables[kChunkLookups][8];
  /// int16 values of one channel's block.
  alignas(64) int16_t values[kBlockPixels];

  /// [channels of the range][CounterVectors], right behind.
  Vector* counters() { return reinterpret_cast<Vector*>(this + 1); }
};

template <typename Bits>
struct Adder {
  using Vector = typename Bits::Vector;
  struct Pair {
    Vector sum, carry;
  };
  static Pair Full(const Vector& a, const Vector& b, const Vector& c) {
    Pair r;
    Bits::FullAdd(a, b, c, &r.sum, &r.carry);
    return r;
  }

  /// Eight words of one weight and the counters of it and of the next weight; two words of four times the
  /// weight are left.
  static inline __attribute__((always_inline)) void Eight(const Vector (&x)[8], Vector& ones, Vector& twos,
                                                          Vector& left0, Vector& left1) {
    // The counters come in last: their chain through all steps is one adder a step.
    const Pair p = Full(x[0], x[1], x[2]), q = Full(x[3], x[4], x[5]), r = Full(x[6], x[7], p.sum);
    const Pair s = Full(q.sum, r.sum, ones);
    ones = s.sum;
    const Pair t = Full(p.carry, q.carry, r.carry), u = Full(t.sum, s.carry, twos);
    twos = u.sum;
    left0 = t.carry;
    left1 = u.carry;
  }

  static inline __attribute__((always_inline)) void EightLookups(const Vector (*tables)[8],
                                                                 const uint8_t* indices, Vector& ones,
                                                                 Vector& twos, Vector& left0, Vector& left1) {
    // One load for eight indices: a load each would compete with the tables for the load ports.
    uint64_t packed;
    std::memcpy(&packed, indices, sizeof packed);
    Vector x[8];
    if constexpr (InterleavesTables<Bits>) {
      Bits::LookUp(tables[0], packed | 0x0706050403020100u, x);
      Eight(x, ones, twos, left0, left1);
      return;
    }
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) {
      x[i] = *reinterpret_cast<const Vector*>(reinterpret_cast<const uint8_t*>(tables[i]) +
                                              (packed & 255) * (sizeof(Vector) / 8));
      packed >>= 8;
    }
    Eight(x, ones, twos, left0, left1);
  }

  /// Adds 8 · kSteps look-ups to the low counters; returns a word of weight 2^(kLowPlanes + 1).
  template <int kSteps>
  static inline __attribute__((always_inline)) Vector Sum(const Vector (*tables)[8], const uint8_t* indices,
                                                          Vector (&low)[kLowPlanes]) {
    Vector fours[4] = {Bits::Zero(), Bits::Zero(), Bits::Zero(), Bits::Zero()};
#pragma GCC unroll 2
    for (int half = 0; half < (kSteps + 3) / 4; ++half) {
      Vector x[8];
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) {
        if (4 * half + i < kSteps) {
          EightLookups(tables + 8 * (4 * half + i), indices + 8 * (4 * half + i), low[0], low[1], x[2 * i],
                       x[2 * i + 1]);
        } else {
          x[2 * i] = x[2 * i + 1] = Bits::Zero();
        }
      }
      Eight(x, low[2], low[3], fours[2 * half], fours[2 * half + 1]);
    }
    const Pair p = Full(fours[0], fours[1], fours[2]), q = Full(p.sum, fours[3], low[4]);
    low[4] = q.sum;
    const Pair r = Full(p.carry, q.carry, low[5]);
    low[5] = r.sum;
    return r.carry;
  }
};

/// Vectors that a channel's sums take between chunks: the low counters, and a carry of each chunk.
inline int CounterVectors(const MajorityWeights& weights) {
  return kLowPlanes + static_cast<int>(weights.chunks().size());
}

/// Adds the chunk's look-ups to the low counters of each channel and leaves their carry.
template <typename Bits, int kSteps, bool kFirst>
inline __attribute__((noinline)) void SumChunk(const MajorityWeights& weights, int chunk,
                                               const BlockRange& range,
                                               MajorityScratch<Bits>* __restrict scratch) {
  using Vector = typename Bits::Vector;
  const int vectors = CounterVectors(weights);
  const uint8_t* indices = weights.indices(chunk, range.channel_begin);
  Vector* counters = scratch->counters();
  for (int c = range.channel_begin; c < range.channel_end; ++c) {
    Vector low[kLowPlanes];
#pragma GCC unroll 6
    for (int j = 0; j < kLowPlanes; ++j) low[j] = kFirst ? Bits::Zero() : counters[j];
    counters[kLowPlanes + chunk] = Adder<Bits>::template Sum<kSteps>(scratch->tables, indices, low);
#pragma GCC unroll 6
    for (int j = 0; j < kLowPlanes; ++j) counters[j] = low[j];
    indices += kSteps * kLookupStep;
    counters += vectors;
  }
}

/// The first kPlanes counter planes of a channel.
template <typename Bits, int kPlanes>
inline void AddCarries(const typename Bits::Vector* counters, int chunks,
                       typename Bits::Vector (&planes)[kPlanes]) {
  using Vector = typename Bits::Vector;
  static_assert(kPlanes > kLowPlanes);
  for (int j = 0; j < kLowPlanes; ++j) planes[j] = counters[j];
  for (int j = kLowPlanes; j < kPlanes; ++j) planes[j] = Bits::Zero();
  const Vector* carries = counters + kLowPlanes;
  for (int i = 0; i < chunks; i += 2) {
    const auto sum =
        Adder<Bits>::Full(planes[kLowPlanes], carries[i], i + 1 < chunks ? carries[i + 1] : Bits::Zero());
    planes[kLowPlanes] = sum.sum;
    Vector carry = sum.carry;
#pragma GCC unroll 16
    for (int j = kLowPlanes + 1; j < kPlanes; ++j) {
      const Vector before = planes[j];
      planes[j] = Bits::Xor(before, carry);
      carry = Bits::And(before, carry);
    }
  }
}

/// Calls `run(std::integral_constant<int, kPlanes>())`: as many planes as `weights` needs, or a few more.
template <typename Run>
inline __attribute__((always_inline)) void WithPlanes(const MajorityWeights& weights, const Run& run) {
  if (weights.planes() <= 8) {
    run(std::integral_constant<int, 8>());
  } else if (weights.planes() <= 10) {
    run(std::integral_constant<int, 10>());
  } else {
    run(std::integral_constant<int, kMaxPlanes>());
  }
}

template <typename Bits, int kSteps = 8>
inline void SumChunkOf(const MajorityWeights& weights, int chunk, const BlockRange& range,
                       MajorityScratch<Bits>* scratch) {
  if constexpr (kSteps > 1) {
    if (weights.chunks()[chunk].lookups < kSteps * kLookupStep) {
      SumChunkOf<Bits, kSteps - 1>(weights, chunk, range, scratch);
      return;
    }
  }
  if (chunk == 0) {
    SumChunk<Bits, kSteps, true>(weights, chunk, range, scratch);
  } else {
    SumChunk<Bits, kSteps, false>(weights, chunk, range, scratch);
  }
}

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

/// The chunk's tables, and its last literal moved to the front of the queue for the next chunk.
template <typename Bits>
inline void BuildTables(const MajorityChunk& chunk, MajorityScratch<Bits>* scratch) {
  using Vector = typename Bits::Vector;
  const Vector* from = scratch->queue;
  Vector* made = scratch->queue + 1 + 2 * chunk.lookups;
  for (int i = 0; i < chunk.lookups; ++i, from += 3) {
    const Vector a = from[0], b = from[1], c = from[2];
    if constexpr (InterleavesTables<Bits>) {
      Vector table[8];
      Bits::Majorities(a, b, c, table);
      Vector* const entries = scratch->tables[i / kLookupStep * kLookupStep] + i % kLookupStep;
#pragma GCC unroll 8
      for (int entry = 0; entry < 8; ++entry) entries[kLookupStep * entry] = table[entry];
    } else {
      Bits::Majorities(a, b, c, scratch->tables[i]);
    }
    *made++ = Bits::Xor3(a, b, c);
  }
  scratch->queue[0] = made[-1];
}

/// One channel's mismatch counts: the bits of weight 1, and `planes`, those of higher weights.
template <typename Bits, int kPlanes>
inline typename Bits::Vector CountPlanes(const MajorityWeights& weights, int channel, int c,
                                         MajorityScratch<Bits>& scratch,
                                         typename Bits::Vector (&planes)[kPlanes]) {
  AddCarries<Bits>(scratch.counters() + c * CounterVectors(weights),
                   static_cast<int>(weights.chunks().size()), planes);
  return Bits::Xor(scratch.queue[0], Bits::Fill(weights.parity(channel)));
}

/// Sums of a vector of pixels of channel `channel`, number `c` of the range, borders not yet corrected.
template <typename Bits, int kPlanes>
inline __attribute__((always_inline)) void Values(const MajorityWeights& weights, int channel, int c,
                                                  MajorityScratch<Bits>& scratch, int16_t* values) {
  typename Bits::Vector planes[kPlanes];
  const auto ones = CountPlanes<Bits>(weights, channel, c, scratch, planes);
  Bits::ToValues(ones, planes, weights.bases(channel)[weights.usual_class()], values);
}

/// int8 values of a block whose pixels fit a vector.
template <typename Bits, int kPlanes>
inline __attribute__((noinline)) void LookUpBlock(const BinaryBlockArgs& args, int64_t block, int channel,
                                                  int c, MajorityScratch<Bits>& scratch) {
  const MajorityWeights& weights = *args.weights;
  typename Bits::Vector planes[kPlanes];
  const auto ones = CountPlanes<Bits>(weights, channel, c, scratch, planes);
  const int64_t pixels = weights.shape().OutPixels(), left = pixels - block * kBlockPixels;
  int8_t* const place = args.epilogue.quantized + channel * pixels + block * kBlockPixels;
  alignas(64) int8_t last[kBlockPixels];
  int8_t* const to = left < kBlockPixels ? last : place;
  Bits::LookUpQuantized(ones, planes, *args.table, channel, block, to);
  if (to == last) std::memcpy(place, last, left);
}

/// Bytes behind the scratch: the counters, and where vectors are narrow the values of all channels.
template <typename Bits>
inline int64_t SumBytes(const MajorityWeights& weights, int channels) {
  const int64_t counters = int64_t{channels} * CounterVectors(weights) * (Bits::kBits / 8);
  const int64_t values = Bits::kBits == kBlockPixels ? 0 : int64_t{channels} * kBlockPixels * 2;
  return counters + values;
}

template <typename Bits, typename Float>
inline void RunBinaryBlocks(const BinaryBlockArgs& args, const BlockRange& range, std::byte* memory) {
  constexpr int kParts = kBlockPixels / Bits::kBits;
  auto* scratch = reinterpret_cast<MajorityScratch<Bits>*>(memory);
  const MajorityWeights& weights = *args.weights;
  const BinaryConvShape& s = weights.shape();
  const int channels = range.channel_end - range.channel_begin;
  // Narrow vectors: the values of all channels wait for the rest of the block.
  int16_t* values =
      kParts == 1 ? scratch->values
                  : reinterpret_cast<int16_t*>(scratch->counters() + channels * CounterVectors(weights));
  const int stride = kParts == 1 ? 0 : kBlockPixels;
  auto* phases = reinterpret_cast<uint64_t*>(reinterpret_cast<uint8_t*>(scratch->counters()) +
                                             SumBytes<Bits>(weights, channels));
  const bool looks_up = LooksUpQuantized<Bits> && args.table != nullptr;
  for (int64_t block = range.block_begin; block < range.block_end; ++block) {
    const int64_t begin = block * kBlockPixels;
    if (PhasePlanes::Takes(s)) PhasePlanes(s).Part(s, args.input, begin, phases);
    for (int part = 0; part < kParts; ++part) {
      const int64_t pixel = begin + part * Bits::kBits;
      if (pixel >= s.OutPixels()) break;
      scratch->queue[0] = Bits::Zero();
      for (int chunk = 0; chunk < static_cast<int>(weights.chunks().size()); ++chunk) {
        GatherLiterals(args, weights.chunks()[chunk], begin, pixel, phases, scratch);
        BuildTables(weights.chunks()[chunk], scratch);
        SumChunkOf(weights, chunk, range, scratch);
      }
      if (kParts == 1 || looks_up) break;
      WithPlanes(weights, [&](auto planes) {
        for (int c = 0; c < channels; ++c) {
          Values<Bits, planes>(weights, range.channel_begin + c, c, *scratch,
                               values + c * stride + part * Bits::kBits);
        }
      });
    }
    if constexpr (LooksUpQuantized<Bits>) {
      if (looks_up) {
        WithPlanes(weights, [&](auto planes) {
          for (int c = 0; c < channels; ++c) {
            LookUpBlock<Bits, planes>(args, block, range.channel_begin + c, c, *scratch);
          }
        });
        continue;
      }
    }
    for (int c = 0; c < channels; ++c) {
      const int channel = range.channel_begin + c;
      int16_t* channel_values = values + c * stride;
      if (kParts == 1) {
        WithPlanes(weights,
                   [&](auto planes) { Values<Bits, planes>(weights, channel, c, *scratch, channel_values); });
      }
      const int32_t* bases = weights.bases(channel);
      const int32_t usual = bases[weights.usual_class()];
      for (const BorderPixel& at : weights.border(block)) {
        channel_values[at.pixel] += static_cast<int16_t>(bases[at.border_class] - usual);
      }
      const ChannelEpilogue epilogue =
          EpilogueOf(args.epilogue, s.out_channels, channel, block, s.OutPixels());
      RunEpilogue<Float>(epilogue, s.OutPixels() - block * kBlockPixels,
                         [channel_values](int i) { return Float::FromInt16(channel_values + i); });
    }
  }
}

template <typename Bits>
inline int64_t BinaryBlockScratch(const MajorityWeights& weights, int channels) {
  const BinaryConvShape& s = weights.shape();
  const int64_t phases = PhasePlanes::Takes(s) ? PhasePlanes(s).Words(s) * 8 : 0;
  return static_cast<int64_t>(sizeof(MajorityScratch<Bits>)) + SumBytes<Bits>(weights, channels) + phases;
}

}  // namespace
}  // namespace bdc
