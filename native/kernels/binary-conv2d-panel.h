// What the binary convolutions of all instruction sets share: a panel of 16 output pixels and the loop around
// it.
//
// Lanes are pixels. Output pixels are numbered over the whole image (y · out_width + x), so that 16
// consecutive ones fill the lanes whatever the width. Their inputs are gathered once,
//
//   words[k][lane]   k = (tap_y · kernel_w + tap_x) · words_per_pixel + w,
//
// which is the order of one output channel's weights: the inner loop is count[lane] +=
// popcount(words[k][lane] ^ weight[k]). Taps outside the image get an all-zero mask word; a panel without
// such taps needs no masks.
//
// Everything here has internal linkage on purpose: each including file is compiled for another instruction
// set.
#pragma once

#include <cstdint>

#include "kernels/kernels.h"

namespace bdc {
namespace {

constexpr int kLanes = 16;
/// Longer kernels are done in chunks of so many words (16 KB of panel: half of an L1 cache). 8192 bits fit
/// 16-bit counters.
constexpr int kPanelWords = 128;
/// Output channels handed to a counter at once; their 16 counters each live on the stack in between.
constexpr int kChannelBlock = 4;

struct Panel {
  alignas(64) uint64_t words[kPanelWords][kLanes];
  alignas(64) uint64_t masks[kPanelWords][kLanes];  // all ones or all zeros; set only if `masked`
  alignas(64) int32_t valid_bits[kLanes];           // (taps inside the image) · in_channels, over all chunks
  int depth;                                        // words in use
  bool masked;
};

inline int WordsPerPixel(const BinaryConv2dArgs& args) { return (args.in_channels + 63) / 64; }

/// Whether output pixels [pixel, pixel + kLanes) lie in one row and see no padding.
inline bool IsInterior(const BinaryConv2dArgs& args, int64_t pixel) {
  const int x = static_cast<int>(pixel % args.out_width);
  const int top = static_cast<int>(pixel / args.out_width) * args.stride_h - args.pad_h;
  const int left = x * args.stride_w - args.pad_w;
  const int right = left + (kLanes - 1) * args.stride_w + args.kernel_w;
  return x + kLanes <= args.out_width && top >= 0 && top + args.kernel_h <= args.in_height && left >= 0 &&
         right <= args.in_width;
}

/// FillPanel where IsInterior: each kernel row of a pixel is one run of memory.
inline void FillInteriorPanel(const BinaryConv2dArgs& args, int64_t pixel, int first, int depth,
                              Panel* panel) {
  const int words = WordsPerPixel(args);
  const int run = args.kernel_w * words;
  const int top = static_cast<int>(pixel / args.out_width) * args.stride_h - args.pad_h;
  const int left = static_cast<int>(pixel % args.out_width) * args.stride_w - args.pad_w;
  const int step = args.stride_w * words;  // from lane to lane
  panel->depth = depth;
  panel->masked = false;
  for (int k = 0; k < depth;) {
    const int tap_y = (first + k) / run;
    const int offset = (first + k) % run;
    const int count = run - offset < depth - k ? run - offset : depth - k;
    const uint64_t* source =
        args.input + (static_cast<int64_t>(top + tap_y) * args.in_width + left) * words + offset;
    if (step == 1) {
      for (int i = 0; i < count; ++i) {
        for (int lane = 0; lane < kLanes; ++lane) panel->words[k + i][lane] = source[i + lane];
      }
    } else {
      for (int i = 0; i < count; ++i) {
        for (int lane = 0; lane < kLanes; ++lane) panel->words[k + i][lane] = source[i + lane * step];
      }
    }
    k += count;
  }
  for (int lane = 0; lane < kLanes; ++lane) {
    panel->valid_bits[lane] = args.kernel_h * args.kernel_w * args.in_channels;
  }
}

/// Fills the panel with words [first, first + depth) of the kernel for pixels [pixel, pixel + lanes). Unused
/// lanes are zero.
inline void FillPanel(const BinaryConv2dArgs& args, int64_t pixel, int lanes, int first, int depth,
                      Panel* panel) {
  const int words = WordsPerPixel(args);
  panel->depth = depth;
  panel->masked = false;
  for (int lane = 0; lane < kLanes; ++lane) {
    if (lane >= lanes) {
      for (int k = 0; k < depth; ++k) {
        panel->words[k][lane] = 0;
        panel->masks[k][lane] = 0;
      }
      panel->valid_bits[lane] = 0;
      continue;
    }
    const int top = static_cast<int>((pixel + lane) / args.out_width) * args.stride_h - args.pad_h;
    const int left = static_cast<int>((pixel + lane) % args.out_width) * args.stride_w - args.pad_w;
    int valid_taps = 0;
    for (int tap_y = 0, k = -first; tap_y < args.kernel_h; ++tap_y) {
      const int y = top + tap_y;
      for (int tap_x = 0; tap_x < args.kernel_w; ++tap_x, k += words) {
        const int x = left + tap_x;
        const bool inside = y >= 0 && y < args.in_height && x >= 0 && x < args.in_width;
        valid_taps += inside;
        if (!inside) panel->masked = true;
        const int from = k < 0 ? -k : 0;
        const int to = k + words > depth ? depth - k : words;
        const uint64_t* source =
            inside ? args.input + (static_cast<int64_t>(y) * args.in_width + x) * words : nullptr;
        for (int w = from; w < to; ++w) {
          panel->words[k + w][lane] = inside ? source[w] : 0;
          panel->masks[k + w][lane] = inside ? ~uint64_t{0} : 0;
        }
      }
    }
    panel->valid_bits[lane] = valid_taps * args.in_channels;
  }
}

/// output = scale · (valid_bits − 2 · mismatches) + bias: an exact integer, one multiplication, one addition.
inline void FinishChannel(const BinaryConv2dArgs& args, const Panel& panel, const int32_t* mismatches,
                          int channel, int lanes, float* output) {
  const float scale = args.scale[channel];
  const float bias = args.bias != nullptr ? args.bias[channel] : 0.0f;
  if (lanes == kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) {
      output[lane] = static_cast<float>(panel.valid_bits[lane] - 2 * mismatches[lane]) * scale + bias;
    }
    return;
  }
  for (int lane = 0; lane < lanes; ++lane) {
    output[lane] = static_cast<float>(panel.valid_bits[lane] - 2 * mismatches[lane]) * scale + bias;
  }
}

/// Runs `Counter::Count<masked>(panel, weight, weight_stride, channels, mismatches)` over output rows [begin,
/// end). It must write mismatches[c][lane] = Σ_k popcount((words[k][lane] ^ weight[c · weight_stride + k]) &
/// masks[k][lane]) for c < channels ≤ kChannelBlock.
template <typename Counter>
inline void RunBinaryConv2d(const BinaryConv2dArgs& args, int begin, int end) {
  const int kernel_words = args.kernel_h * args.kernel_w * WordsPerPixel(args);
  const int64_t plane = static_cast<int64_t>(args.out_height) * args.out_width;
  const int64_t last = static_cast<int64_t>(end) * args.out_width;
  Panel panel;
  alignas(64) int32_t mismatches[kChannelBlock][kLanes];
  for (int64_t pixel = static_cast<int64_t>(begin) * args.out_width; pixel < last; pixel += kLanes) {
    const int lanes = last - pixel < kLanes ? static_cast<int>(last - pixel) : kLanes;
    for (int first = 0; first < kernel_words; first += kPanelWords) {
      const int depth = kernel_words - first < kPanelWords ? kernel_words - first : kPanelWords;
      if (lanes == kLanes && IsInterior(args, pixel)) {
        FillInteriorPanel(args, pixel, first, depth, &panel);
      } else {
        FillPanel(args, pixel, lanes, first, depth, &panel);
      }
      for (int channel = 0; channel < args.out_channels; channel += kChannelBlock) {
        const int channels =
            args.out_channels - channel < kChannelBlock ? args.out_channels - channel : kChannelBlock;
        const uint64_t* weight = args.weight + static_cast<int64_t>(channel) * kernel_words + first;
        if (panel.masked) {
          Counter::template Count<true>(panel, weight, kernel_words, channels, mismatches);
        } else {
          Counter::template Count<false>(panel, weight, kernel_words, channels, mismatches);
        }
        for (int c = 0; c < channels; ++c) {
          float* output = args.output + (channel + c) * plane + pixel;
          // Between chunks the counts wait in the output: whole numbers below 2^24 are exact in a float.
          if (first > 0) {
            for (int lane = 0; lane < lanes; ++lane)
              mismatches[c][lane] += static_cast<int32_t>(output[lane]);
          }
          if (first + depth < kernel_words) {
            for (int lane = 0; lane < lanes; ++lane) output[lane] = static_cast<float>(mismatches[c][lane]);
          } else {
            FinishChannel(args, panel, mismatches[c], channel + c, lanes, output);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace bdc
