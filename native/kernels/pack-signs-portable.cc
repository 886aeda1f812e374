#include "kernels/kernel-list.h"

namespace bdc {
namespace {

constexpr int kLanes = 16;  // pixels at once

/// Bits of `count` ≤ 32 channels from `channel` on for kLanes pixels: each channel shifts its bit in from the
/// top.
void PackChannels(const PackSignsArgs& args, int64_t plane, int64_t pixel, int lanes, int channel, int count,
                  uint32_t* bits) {
  for (int lane = 0; lane < kLanes; ++lane) bits[lane] = 0;
  for (int c = channel; c < channel + count; ++c) {
    const float* input = args.input + c * plane + pixel;
    const float threshold = args.threshold[c];
    if (args.direction[c] > 0) {
      for (int lane = 0; lane < lanes; ++lane) {
        bits[lane] = (bits[lane] >> 1) | (static_cast<uint32_t>(input[lane] >= threshold) << 31);
      }
    } else {
      for (int lane = 0; lane < lanes; ++lane) {
        bits[lane] = (bits[lane] >> 1) | (static_cast<uint32_t>(input[lane] <= threshold) << 31);
      }
    }
  }
  if (count < 32) {
    for (int lane = 0; lane < kLanes; ++lane) bits[lane] >>= 32 - count;
  }
}

int ChannelsLeft(int channels, int channel) {
  const int left = channels - channel;
  return left < 0 ? 0 : left > 32 ? 32 : left;
}

}  // namespace

void PackSignsPortable(const PackSignsArgs& args, int begin, int end) {
  const int words = (args.channels + 63) / 64;
  const int64_t plane = static_cast<int64_t>(args.height) * args.width;
  const int64_t last = static_cast<int64_t>(end) * args.width;
  for (int64_t pixel = static_cast<int64_t>(begin) * args.width; pixel < last; pixel += kLanes) {
    const int lanes = last - pixel < kLanes ? static_cast<int>(last - pixel) : kLanes;
    for (int w = 0; w < words; ++w) {
      uint32_t low[kLanes], high[kLanes] = {};
      PackChannels(args, plane, pixel, lanes, 64 * w, ChannelsLeft(args.channels, 64 * w), low);
      const int high_channels = ChannelsLeft(args.channels, 64 * w + 32);
      if (high_channels > 0) PackChannels(args, plane, pixel, lanes, 64 * w + 32, high_channels, high);
      for (int lane = 0; lane < lanes; ++lane) {
        args.output[(pixel + lane) * words + w] = (static_cast<uint64_t>(high[lane]) << 32) | low[lane];
      }
    }
  }
}

}  // namespace bdc
