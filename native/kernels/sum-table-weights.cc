#include "kernels/sum-table-weights.h"

#include <cstddef>

namespace bdc {

SumTableWeights::SumTableWeights(int in_channels, int out_channels, const uint64_t* weight)
    : in_channels_(in_channels), out_channels_(out_channels) {
  const int step = kSumGroup * kSumLookupStep;
  groups_ = (in_channels + step - 1) / step * kSumLookupStep;
  const int words = (in_channels + 63) / 64;
  indices_.assign(static_cast<size_t>(out_channels) * groups_, 0);
  for (int o = 0; o < out_channels; ++o) {
    for (int i = 0; i < in_channels; ++i) {
      const int bit = static_cast<int>(weight[int64_t{o} * words + i / 64] >> (i % 64) & 1);
      indices_[static_cast<size_t>(o) * groups_ + i / kSumGroup] |=
          static_cast<uint8_t>(8 * bit << (i % kSumGroup));
    }
  }
}

}  // namespace bdc
