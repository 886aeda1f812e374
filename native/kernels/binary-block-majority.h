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

#include "kernels/block-epilogue.h"
#include "kernels/majority-adders.h"
#include "kernels/quantized-table.h"

namespace bdc {
namespace {

/// Vectors whose counts become int8 values by a QuantizedTable.
template <typename Bits>
concept LooksUpQuantized = requires {
  &Bits::template LookUpQuantized<kMaxPlanes>;
};

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

/// What the pixels of a block that miss taps have too much in them.
inline void CorrectBorder(const MajorityWeights& weights, int channel, int64_t block, int16_t* values) {
  typedef int16_t Eight __attribute__((vector_size(16)));
  const int32_t* bases = weights.bases(channel);
  const int32_t usual = bases[weights.usual_class()];
  for (const BorderRun& run : weights.border(block)) {
    const auto missing = static_cast<int16_t>(bases[run.border_class] - usual);
    int16_t* const first = values + run.first;
    int i = 0;
    for (; i + 8 <= run.count; i += 8) {
      Eight eight;
      std::memcpy(&eight, first + i, sizeof eight);
      eight += missing;
      std::memcpy(first + i, &eight, sizeof eight);
    }
    for (; i < run.count; ++i) first[i] += missing;
  }
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

/// Alignment of the memory that a call gets.
constexpr uintptr_t kCacheLine = 64;

/// Where the scratch begins in it.
template <typename Bits>
inline MajorityScratch<Bits>* ScratchIn(std::byte* memory) {
  constexpr uintptr_t kStart = alignof(MajorityScratch<Bits>);
  static_assert(kStart % kCacheLine == 0);
  return reinterpret_cast<MajorityScratch<Bits>*>((reinterpret_cast<uintptr_t>(memory) + kStart - 1) &
                                                  ~(kStart - 1));
}

template <typename Bits, typename Float>
inline void RunBinaryBlocks(const BinaryBlockArgs& args, const BlockRange& range, std::byte* memory) {
  constexpr int kParts = kBlockPixels / Bits::kBits;
  auto* scratch = ScratchIn<Bits>(memory);
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
    const int64_t left = s.OutPixels() - begin;
    const int parts = left < kBlockPixels ? static_cast<int>((left + Bits::kBits - 1) / Bits::kBits) : kParts;
    for (int part = 0; part < parts; ++part) {
      const int64_t pixel = begin + part * Bits::kBits;
      scratch->queue[0] = Bits::Zero();
      for (int chunk = 0; chunk < static_cast<int>(weights.chunks().size()); ++chunk) {
        GatherLiterals(args, weights.chunks()[chunk], begin, pixel, phases, scratch);
        BuildTables(weights.chunks()[chunk], scratch);
        SumChunkOf(weights, chunk, range, scratch);
      }
      if (kParts == 1 || looks_up) break;
      WithPlanes(weights, [&](auto planes) {
        for (int c = 0; c < channels; ++c) {
          int16_t* const channel_values = values + c * stride;
          Values<Bits, planes>(weights, range.channel_begin + c, c, *scratch,
                               channel_values + part * Bits::kBits);
          // Long before the epilogue: it would wait for what is written just then.
          if (part == parts - 1) CorrectBorder(weights, range.channel_begin + c, block, channel_values);
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
        CorrectBorder(weights, channel, block, channel_values);
      }
      const ChannelEpilogue epilogue =
          EpilogueOf(args.epilogue, s.out_channels, channel, block, s.OutPixels());
      RunEpilogue<Float>(epilogue, left,
                         [channel_values](int i) { return Float::FromInt16(channel_values + i); });
    }
  }
}

template <typename Bits>
inline int64_t BinaryBlockScratch(const MajorityWeights& weights, int channels) {
  const BinaryConvShape& s = weights.shape();
  const int64_t phases = PhasePlanes::Takes(s) ? PhasePlanes(s).Words(s) * 8 : 0;
  const int64_t scratch = sizeof(MajorityScratch<Bits>) + alignof(MajorityScratch<Bits>) - kCacheLine;
  return scratch + SumBytes<Bits>(weights, channels) + phases;
}

}  // namespace
}  // namespace bdc
