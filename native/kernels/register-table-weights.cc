#include "kernels/register-table-weights.h"

#include <algorithm>

namespace bdc {
namespace {

int UpTo(int multiple, int x) { return (x + multiple - 1) / multiple * multiple; }

}  // namespace

RegisterTableWeights::RegisterTableWeights(int in_channels, int out_channels, const uint64_t* weight)
    : in_channels_(in_channels),
      out_channels_(out_channels),
      groups_(UpTo(kRegisterTableChannels, in_channels) / kRegisterTableChannels),
      row_(UpTo(kRegisterTableLanes, out_channels)),
      // A vector more, for one that starts at the last channel.
      indices_(static_cast<size_t>(groups_) * row_ + kRegisterTableLanes) {
  std::fill_n(indices_.data(), indices_.size(), uint16_t{0});
  const int words = (in_channels + 63) / 64;
  for (int o = 0; o < out_channels; ++o) {
    for (int i = 0; i < in_channels; ++i) {
      const int bit = static_cast<int>(weight[int64_t{o} * words + i / 64] >> (i % 64) & 1);
      indices_[int64_t{i / kRegisterTableChannels} * row_ + o] |=
          static_cast<uint16_t>(bit << (i % kRegisterTableChannels));
    }
  }
}

}  // namespace bdc
