// How the majority kernel counts, and the weights in the form it reads.
//
// A mismatch count is Σ (bit ^ weight) over the literals (tap, input channel) of an output value. Three
// literals make a full adder: a ^ b ^ c keeps weight 1, their majority has weight 2. With weight bits s,
//
//   (a^sa) ^ (b^sb) ^ (c^sc) = (a^b^c) ^ (sa^sb^sc)      the same for all output channels but for its sign
//   maj(a^sa, b^sb, c^sc)                                one of 8 vectors
//
// So the first word is a new literal, shared by all output channels, and the second is looked up by weight
// bits in a table of 8. n literals shrink to one (whose sign is the parity of the weights) and n / 2 look-ups
// of words of weight 2, each a vector of pixels, which carry-save adders sum. Per 2 input channels an output
// channel costs one load and one full adder, where XOR + popcount + add cost three instructions a word, and a
// table is 8 entries.
//
// Where a full adder is more than two instructions, two such words m and n come as a pair, m and m ^ n: what
// a full adder does first is then done for all output channels. The full adders take five literals, the
// parity of three of them being the first of the second, and
//
//   m(sa, sb, sc) ^ n(sa^sb^sc, sd, se)                  one of 16 vectors
//
// as it is the same with all five signs changed. Tables of a pair are 24 entries, those of two words 16.
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/binary-block.h"

namespace bdc {

/// Whether look-ups come in pairs: a full adder of NEON takes three instructions, of which this saves one.
/// Those of AVX-512 take two, and two they stay. What weights hold is for all kernels of a build.
#if defined(__aarch64__)
constexpr bool kPairsLookups = true;
#else
constexpr bool kPairsLookups = false;
#endif

/// Look-ups that are summed in registers before the counters in memory are touched; their tables fit an L1
/// cache beside the rest (AVX-512's are 32 KB, NEON's 12 KB: more would drive one another out of a
/// Cortex-A72's 32 KB of two ways).
constexpr int kChunkLookups = 64;
/// Look-ups that the shortest unrolled sum takes: chunks are padded to it with zero literals.
constexpr int kLookupStep = 8;
/// Table entries of a step: of each pair 8 and then of each 16, or of each look-up 8.
constexpr int kStepEntries = (kPairsLookups ? 8 + 16 : 8 + 8) * kLookupStep / 2;
/// Counters hold sums below 2^14 and values ±2^14 fit 16 bits.
constexpr int64_t kMajorityMaxDepth = 16383;

/// Literals [2 · first, 2 · (first + lookups)), numbered tap · in_channels + channel.
struct MajorityChunk {
  int first, lookups;
};

/// Which taps of the kernel an output position sees on one axis: [begin, end).
struct TapRange {
  int begin, end;
  bool operator==(const TapRange&) const = default;
};

/// Neighbours of a block that miss the same taps.
struct BorderRun {
  uint16_t first, count, border_class;
};

/// Binary weights as look-up indices; made at load.
class MajorityWeights {
 public:
  /// weight [out_channels][kernel_h][kernel_w][words], word w bit b = channel 64·w + b.
  /// Throws std::invalid_argument if the depth is more than kMajorityMaxDepth.
  MajorityWeights(const BinaryConvShape& shape, const uint64_t* weight);

  const BinaryConvShape& shape() const { return shape_; }
  const std::vector<MajorityChunk>& chunks() const { return chunks_; }
  /// kLookupStep look-ups a time: byte i is 8 · (sa | sb << 1 | sc << 2), an entry's offset in units of an
  /// eighth of it. Of pairs, four a time, bytes are numbers of entries among all those of the step: byte i is
  /// 8 · i + (sa | sb << 1 | sc << 2) and byte 4 + i is 32 + 16 · i + (sa | sb << 1 | sc << 2 | sd << 3), all
  /// of these signs changed where se is 1.
  const uint8_t* indices(int chunk, int channel) const {
    const MajorityChunk& c = chunks_[chunk];
    return indices_.data() + int64_t{c.first} * shape_.out_channels + int64_t{channel} * c.lookups;
  }
  /// Planes of weights 2¹, 2², … that its counts need.
  int planes() const { return std::bit_width(static_cast<uint64_t>(shape_.Depth())) - 1; }
  /// Sign of the last literal: 0 or 1.
  int parity(int channel) const { return parity_[channel]; }
  /// [classes] of border classes, output pixels that see the same taps: y = bases(channel)[class] − 2 ·
  /// mismatches, masked taps counted as literals 0.
  const int32_t* bases(int channel) const { return base_.data() + int64_t{channel} * classes(); }
  /// The class that sees every tap; any where none does.
  int usual_class() const { return usual_class_; }
  int classes() const { return static_cast<int>(y_ranges_.size() * x_ranges_.size()); }
  /// A block's pixels of other classes.
  std::span<const BorderRun> border(int64_t block) const {
    const int begin = border_begin_[block], end = border_begin_[block + 1];
    return {border_.data() + begin, static_cast<size_t>(end - begin)};
  }

 private:
  void MakeIndices(const uint64_t* weight);
  void MakeBases(const uint64_t* weight);
  void MakeBorder();

  BinaryConvShape shape_;
  std::vector<MajorityChunk> chunks_;
  std::vector<uint8_t> indices_, parity_;
  std::vector<TapRange> y_ranges_, x_ranges_;
  std::vector<uint16_t> y_class_, x_class_;
  std::vector<int32_t> base_;
  int usual_class_ = 0;
  std::vector<BorderRun> border_;
  std::vector<int> border_begin_;  // [blocks + 1]
};

}  // namespace bdc
