// Sums of look-ups by carry-save adders (majority-weights.h).
//
// Everything here has internal linkage on purpose: each including file is compiled for another instruction
// set.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "kernels/majority-tables.h"

namespace bdc {
namespace {

/// Counters that stay in registers: weights 2¹ … 2⁶.
constexpr int kLowPlanes = 6;
/// Planes of weights 2¹ … 2¹³: what a depth of kMajorityMaxDepth needs.
constexpr int kMaxPlanes = 13;

/// Adds two words of a weight to its counter; returns the carry.
template <typename Bits, typename Vector = typename Bits::Vector>
inline __attribute__((always_inline)) Vector AddToCounter(const Vector& a, const Vector& b, Vector& counter) {
  Vector sum, carry;
  Bits::FullAdd(a, b, counter, &sum, &carry);
  counter = sum;
  return carry;
}

/// Adds a chunk's look-ups, each a majority.
template <typename Bits>
class TripleAdder {
 public:
  using Vector = typename Bits::Vector;
  explicit TripleAdder(const Vector (*tables)[kStepEntries]) : tables_(tables) {}

  /// Adds 8 · kSteps look-ups to the low counters; returns a word of weight 2^(kLowPlanes + 1).
  template <int kSteps>
  inline __attribute__((always_inline)) Vector Sum(const uint8_t* indices, Vector (&low)[kLowPlanes]) const {
    Vector fours[4] = {Bits::Zero(), Bits::Zero(), Bits::Zero(), Bits::Zero()};
#pragma GCC unroll 2
    for (int half = 0; half < (kSteps + 3) / 4; ++half) {
      Vector x[8];
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) {
        if (4 * half + i < kSteps) {
          EightLookups(tables_[4 * half + i], indices + 8 * (4 * half + i), low[0], low[1], x[2 * i],
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

 private:
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

  static inline __attribute__((always_inline)) void EightLookups(const Vector* tables, const uint8_t* indices,
                                                                 Vector& ones, Vector& twos, Vector& left0,
                                                                 Vector& left1) {
    // One load for eight indices: a load each would compete with the tables for the load ports.
    uint64_t packed;
    std::memcpy(&packed, indices, sizeof packed);
    Vector x[8];
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) {
      x[i] = *reinterpret_cast<const Vector*>(reinterpret_cast<const uint8_t*>(tables + 8 * i) +
                                              (packed & 255) * (sizeof(Vector) / 8));
      packed >>= 8;
    }
    Eight(x, ones, twos, left0, left1);
  }

  const Vector (*tables_)[kStepEntries];
};

/// Adds a chunk's look-ups, which come in pairs of a majority and its difference from another. Words of a
/// weight are added as soon as there are two, so that few wait in registers.
template <typename Bits>
class PairAdder {
 public:
  using Vector = typename Bits::Vector;
  explicit PairAdder(const Vector (*tables)[kStepEntries]) : tables_(tables) {}

  template <int kSteps>
  inline __attribute__((always_inline)) Vector Sum(const uint8_t* indices, Vector (&low)[kLowPlanes]) {
    return Steps<kLowPlanes - 1>(0, kSteps, indices, low);
  }

 private:
  /// Adds `steps` steps from `step` on, at most 2^(kLevel − 2), to low[0 … kLevel]; returns their carry.
  template <int kLevel>
  inline __attribute__((always_inline)) Vector Steps(int step, int steps, const uint8_t* indices,
                                                     Vector (&low)[kLowPlanes]) {
    if constexpr (kLevel == 2) {
      uint64_t packed;
      std::memcpy(&packed, indices + step * kLookupStep, sizeof packed);
      Vector x[8], twos[4], fours[2];
      tables_.LookUp(step, packed, x);
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) {
        twos[i] = Bits::Select(x[4 + i], low[0], x[i]);
        low[0] = Bits::Xor(low[0], x[4 + i]);
      }
#pragma GCC unroll 2
      for (int i = 0; i < 2; ++i) fours[i] = AddToCounter<Bits>(twos[2 * i], twos[2 * i + 1], low[1]);
      return AddToCounter<Bits>(fours[0], fours[1], low[2]);
    } else {
      constexpr int kHalf = 1 << (kLevel - 3);
      const Vector first = Steps<kLevel - 1>(step, steps < kHalf ? steps : kHalf, indices, low);
      if (steps <= kHalf) {
        const Vector before = low[kLevel];
        low[kLevel] = Bits::Xor(before, first);
        return Bits::And(before, first);
      }
      return AddToCounter<Bits>(first, Steps<kLevel - 1>(step + kHalf, steps - kHalf, indices, low),
                                low[kLevel]);
    }
  }

  typename Bits::Tables tables_;
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
  std::conditional_t<kPairsLookups, PairAdder<Bits>, TripleAdder<Bits>> adder(scratch->tables);
  for (int c = range.channel_begin; c < range.channel_end; ++c) {
    Vector low[kLowPlanes];
#pragma GCC unroll 6
    for (int j = 0; j < kLowPlanes; ++j) low[j] = kFirst ? Bits::Zero() : counters[j];
    counters[kLowPlanes + chunk] = adder.template Sum<kSteps>(indices, low);
#pragma GCC unroll 6
    for (int j = 0; j < kLowPlanes; ++j) counters[j] = low[j];
    indices += kSteps * kLookupStep;
    counters += vectors;
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

/// The first kPlanes counter planes of a channel.
template <typename Bits, int kPlanes>
inline void AddCarries(const typename Bits::Vector* counters, int chunks,
                       typename Bits::Vector (&planes)[kPlanes]) {
  using Vector = typename Bits::Vector;
  static_assert(kPlanes > kLowPlanes + 1);
  for (int j = 0; j < kLowPlanes; ++j) planes[j] = counters[j];
  for (int j = kLowPlanes; j < kPlanes; ++j) planes[j] = Bits::Zero();
  const Vector* carries = counters + kLowPlanes;
  for (int i = 0; i < chunks; i += 4) {
    const auto at = [&](int k) { return i + k < chunks ? carries[i + k] : Bits::Zero(); };
    const Vector twos = AddToCounter<Bits>(carries[i], at(1), planes[kLowPlanes]);
    const Vector more =
        i + 2 < chunks ? AddToCounter<Bits>(carries[i + 2], at(3), planes[kLowPlanes]) : Bits::Zero();
    Vector carry = AddToCounter<Bits>(twos, more, planes[kLowPlanes + 1]);
#pragma GCC unroll 16
    for (int j = kLowPlanes + 2; j < kPlanes; ++j) {
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

}  // namespace
}  // namespace bdc
