// What the vectorised sign packers share: the loop over strips of pixels and words of 64 channels, and the
// last strip of a range, which is copied to a buffer so that a packer may always read a whole strip.
//
// Everything here has internal linkage on purpose: each including file is compiled for another instruction
// set.
#pragma once

#include <cstdint>

#include "kernels/kernels.h"

namespace bdc {
namespace {

/// The sign bit that turns `x <= t` into `−x >= −t`, so that one comparison serves both directions. NaN stays
/// NaN.
inline uint32_t FlipOf(int8_t direction) { return direction > 0 ? 0 : 0x80000000u; }

/// Runs `Packer::PackStrip(input, plane, threshold, direction, channels, output, words)` over image rows
/// [begin, end). It must write Packer::kStrip words to output[0], output[words], …: bit c of word p tells
/// about input[c · plane + p], c < channels ≤ 64; higher bits are 0.
template <typename Packer>
inline void RunPackSigns(const PackSignsArgs& args, int begin, int end) {
  const int words = (args.channels + 63) / 64;
  const int64_t plane = static_cast<int64_t>(args.height) * args.width;
  const int64_t last = static_cast<int64_t>(end) * args.width;
  for (int64_t pixel = static_cast<int64_t>(begin) * args.width; pixel < last; pixel += Packer::kStrip) {
    for (int w = 0; w < words; ++w) {
      const int left = args.channels - 64 * w;
      const int channels = left < 64 ? left : 64;
      const float* input = args.input + 64 * w * plane + pixel;
      const float* threshold = args.threshold + 64 * w;
      const int8_t* direction = args.direction + 64 * w;
      uint64_t* output = args.output + pixel * words + w;
      if (last - pixel >= Packer::kStrip) {
        Packer::PackStrip(input, plane, threshold, direction, channels, output, words);
        continue;
      }
      const int pixels = static_cast<int>(last - pixel);
      alignas(64) float strip[64 * Packer::kStrip];
      uint64_t bits[Packer::kStrip];
      for (int c = 0; c < channels; ++c) {
        for (int p = 0; p < Packer::kStrip; ++p) {
          strip[c * Packer::kStrip + p] = p < pixels ? input[c * plane + p] : 0.0f;
        }
      }
      Packer::PackStrip(strip, Packer::kStrip, threshold, direction, channels, bits, 1);
      for (int p = 0; p < pixels; ++p) output[static_cast<int64_t>(p) * words] = bits[p];
    }
  }
}

}  // namespace
}  // namespace bdc
