#include "kernels/tile-weights.h"

#include <cstring>

namespace bdc {
namespace {

constexpr int ChannelsOf(TileElement element) { return element == TileElement::kInt8 ? 64 : 32; }

/// ±1 of either element; bfloat16 is the upper half of a float.
void Store(TileElement element, bool positive, std::byte* row, int channel) {
  if (element == TileElement::kInt8) {
    const int8_t value = positive ? 1 : -1;
    std::memcpy(row + channel, &value, sizeof value);
  } else {
    const uint16_t value = positive ? 0x3f80 : 0xbf80;
    std::memcpy(row + 2 * channel, &value, sizeof value);
  }
}

}  // namespace

TileWeights::TileWeights(int in_channels, int out_channels, const uint64_t* weight, TileElement element)
    : in_channels_(in_channels),
      out_channels_(out_channels),
      element_(element),
      chunks_((in_channels + ChannelsOf(element) - 1) / ChannelsOf(element)),
      tiles_(int64_t{(out_channels + kTilePair - 1) / kTilePair} * chunks_ * 2 * kTileBytes) {
  std::memset(tiles_.data(), 0, tiles_.size());
  const int words = (in_channels + 63) / 64;
  for (int o = 0; o < out_channels; ++o) {
    const int pair = o / kTilePair, tile = o % kTilePair / kTileRows, row = o % kTileRows;
    for (int i = 0; i < in_channels; ++i) {
      const int64_t at = (int64_t{pair} * chunks_ + i / ChannelsOf(element)) * 2 + tile;
      const bool positive = weight[int64_t{o} * words + i / 64] >> (i % 64) & 1;
      Store(element, positive, tiles_.data() + at * kTileBytes + row * 64, i % ChannelsOf(element));
    }
  }
}

}  // namespace bdc
