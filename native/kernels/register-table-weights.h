// Binary weights of a 1×1 layer on int8 values (W1A8) for tables that lie in two registers.
//
// Of a pixel's values of six input channels there are 64 sums ±a ± b ± … ± f, two vectors of 16 bits. A lane
// of VPERMI2W is an output channel, its index that channel's six weights: one instruction looks up the sums
// of 32 output channels, 192 multiply-adds.
#pragma once

#include <cstdint>

#include "runtime/aligned_buffer.h"

namespace bdc {

constexpr int kRegisterTableChannels = 6;  // input channels of a table
constexpr int kRegisterTableLanes = 32;    // output channels of a look-up
/// A table is worth making for so many output channels; measured against tables in memory.
constexpr int kRegisterTablesFrom = 96;

/// Binary weights as indices of such tables; made at load.
class RegisterTableWeights {
 public:
  /// weight [out_channels][words], word w bit b = input channel 64·w + b.
  RegisterTableWeights(int in_channels, int out_channels, const uint64_t* weight);

  int in_channels() const { return in_channels_; }
  int out_channels() const { return out_channels_; }
  /// Tables of a pixel.
  int groups() const { return groups_; }
  /// Of output channels `channel` … of a group: bit i is the weight of its input channel i. A vector that
  /// starts at any channel is readable.
  const uint16_t* indices(int group, int channel) const {
    return indices_.data() + int64_t{group} * row_ + channel;
  }
  /// Indices from one group's to the next one's.
  int row() const { return row_; }

 private:
  int in_channels_, out_channels_, groups_, row_;
  AlignedBuffer<uint16_t> indices_;
};

}  // namespace bdc
