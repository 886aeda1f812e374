// Binary weights on real values: sums of groups of input channels are looked up by the weights.
//
// For four input channels and a vector of pixels there are 16 sums ±a ± b ± c ± d. They are tabled once and
// serve all output channels: four multiply-adds a pixel become one load and one addition. int8 activations
// are summed in int16 lanes, which hold 256 of them exactly.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/binary-block.h"

namespace bdc {

constexpr int kSumGroup = 4;       // input channels that a table serves
constexpr int kSumEntries = 16;    // sums of a table
constexpr int kSumLookupStep = 8;  // look-ups whose indices one load brings
/// 256 · 127 < 2^15: so many tables may be summed in 16 bits.
constexpr int kSumInt16Groups = 64;

/// Binary weights of a 1×1 convolution as table indices; made at load.
class SumTableWeights {
 public:
  /// weight [out_channels][words], word w bit b = input channel 64·w + b.
  SumTableWeights(int in_channels, int out_channels, const uint64_t* weight);

  int in_channels() const { return in_channels_; }
  int out_channels() const { return out_channels_; }
  /// Tables, padded to kSumLookupStep.
  int groups() const { return groups_; }
  /// Byte g: 8 · (weight bits of channels 4·g … 4·g + 3), an entry's offset in units of an eighth of it.
  const uint8_t* indices(int channel) const { return indices_.data() + int64_t{channel} * groups_; }

 private:
  int in_channels_, out_channels_, groups_;
  std::vector<uint8_t> indices_;
};

}  // namespace bdc
