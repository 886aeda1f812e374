#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "kernel_tester.h"

namespace bdc {
namespace {

/// One shape of a binary convolution with its data and the output a plain loop over ±1 gives.
class BinaryConv2dTester {
 public:
  BinaryConv2dTester& channels(int in, int out) {
    return args_.in_channels = in, args_.out_channels = out, *this;
  }
  BinaryConv2dTester& image(int h, int w) { return args_.in_height = h, args_.in_width = w, *this; }
  BinaryConv2dTester& kernel(int h, int w) { return args_.kernel_h = h, args_.kernel_w = w, *this; }
  BinaryConv2dTester& stride(int h, int w) { return args_.stride_h = h, args_.stride_w = w, *this; }
  BinaryConv2dTester& pad(int h, int w) { return args_.pad_h = h, args_.pad_w = w, *this; }
  BinaryConv2dTester& without_bias() { return with_bias_ = false, *this; }
  /// All inputs +1 and all weights +1 (`match`) or −1.
  BinaryConv2dTester& extreme(bool match) { return extreme_ = true, match_ = match, *this; }
  /// Computes only these output rows and expects the others untouched.
  BinaryConv2dTester& rows(int begin, int end) { return begin_ = begin, end_ = end, *this; }

  bool HasOutput() const {
    return args_.in_height + 2 * args_.pad_h >= args_.kernel_h &&
           args_.in_width + 2 * args_.pad_w >= args_.kernel_w;
  }

  void Check() {
    Fill();
    const int end = end_ < 0 ? args_.out_height : end_;
    const std::vector<float> expected = Expected(end);
    ForEachIsa([&](const KernelSet& kernels) {
      std::vector<float> output(expected.size(), kUntouched);
      args_.output = output.data();
      kernels.binary_conv2d(args_, begin_, end);
      // Bit for bit: every instruction set computes an exact integer, one product and one sum.
      for (size_t i = 0; i < expected.size(); ++i)
        ASSERT_EQ(output[i], expected[i]) << "at " << i << ", " << Shape();
    });
  }

 private:
  static constexpr float kUntouched = -12345.0f;

  void Fill() {
    BinaryConv2dArgs& a = args_;
    a.out_height = (a.in_height + 2 * a.pad_h - a.kernel_h) / a.stride_h + 1;
    a.out_width = (a.in_width + 2 * a.pad_w - a.kernel_w) / a.stride_w + 1;
    const size_t pixels = static_cast<size_t>(a.in_height) * a.in_width;
    const size_t taps = static_cast<size_t>(a.out_channels) * a.kernel_h * a.kernel_w;
    const uint32_t seed = static_cast<uint32_t>(a.in_channels * 131 + a.in_height * 17 + a.kernel_w);
    input_ = extreme_ ? FullBits(pixels, a.in_channels, true) : RandomBits(pixels, a.in_channels, seed);
    weight_ = extreme_ ? FullBits(taps, a.in_channels, match_) : RandomBits(taps, a.in_channels, seed + 1);
    scale_ = RandomFloats(a.out_channels, seed + 2);
    bias_ = RandomFloats(a.out_channels, seed + 3);
    a.input = input_.data();
    a.weight = weight_.data();
    a.scale = scale_.data();
    a.bias = with_bias_ ? bias_.data() : nullptr;
  }

  int Value(const std::vector<uint64_t>& bits, size_t vector, int channel) const {
    return bits[vector * WordsFor(args_.in_channels) + channel / 64] >> (channel % 64) & 1 ? 1 : -1;
  }

  /// Σ ±1·±1 over the taps inside the image.
  int Sum(int o, int y, int x) const {
    const BinaryConv2dArgs& a = args_;
    int sum = 0;
    for (int ky = 0; ky < a.kernel_h; ++ky) {
      for (int kx = 0; kx < a.kernel_w; ++kx) {
        const int iy = y * a.stride_h - a.pad_h + ky;
        const int ix = x * a.stride_w - a.pad_w + kx;
        if (iy < 0 || iy >= a.in_height || ix < 0 || ix >= a.in_width) continue;
        const size_t pixel = static_cast<size_t>(iy) * a.in_width + ix;
        const size_t tap = (static_cast<size_t>(o) * a.kernel_h + ky) * a.kernel_w + kx;
        for (int c = 0; c < a.in_channels; ++c) sum += Value(input_, pixel, c) * Value(weight_, tap, c);
      }
    }
    return sum;
  }

  std::vector<float> Expected(int end) const {
    const BinaryConv2dArgs& a = args_;
    std::vector<float> expected(static_cast<size_t>(a.out_channels) * a.out_height * a.out_width, kUntouched);
    for (int o = 0; o < a.out_channels; ++o) {
      for (int y = begin_; y < end; ++y) {
        for (int x = 0; x < a.out_width; ++x) {
          const float product = static_cast<float>(Sum(o, y, x)) * scale_[o];
          expected[(static_cast<size_t>(o) * a.out_height + y) * a.out_width + x] =
              product + (with_bias_ ? bias_[o] : 0.0f);
        }
      }
    }
    return expected;
  }

  std::string Shape() const {
    const BinaryConv2dArgs& a = args_;
    const auto pair = [](int h, int w) { return std::to_string(h) + "x" + std::to_string(w); };
    return std::to_string(a.in_channels) + "->" + std::to_string(a.out_channels) + " image " +
           pair(a.in_height, a.in_width) + " kernel " + pair(a.kernel_h, a.kernel_w) + " stride " +
           pair(a.stride_h, a.stride_w) + " pad " + pair(a.pad_h, a.pad_w);
  }

  BinaryConv2dArgs args_{nullptr, nullptr, nullptr, nullptr, nullptr, 64, 5, 5, 3, 0, 0, 3, 3, 1, 1, 1, 1};
  bool with_bias_ = true, extreme_ = false, match_ = false;
  int begin_ = 0, end_ = -1;
  std::vector<uint64_t> input_, weight_;
  std::vector<float> scale_, bias_;
};

constexpr int kChannels[] = {1, 63, 64, 65, 127, 128, 129, 200, 256, 512};
constexpr int kSides[] = {1, 2, 3, 7, 17, 64};

TEST(BinaryConv2dTest, AnyNumberOfInputChannels) {
  for (int channels : kChannels) BinaryConv2dTester().channels(channels, 5).image(6, 9).Check();
}

TEST(BinaryConv2dTest, AnyNumberOfOutputChannels) {
  for (int channels : {1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 33}) {
    BinaryConv2dTester().channels(70, channels).image(4, 5).Check();
  }
}

TEST(BinaryConv2dTest, AnyImageSize) {
  for (int height : kSides) {
    for (int width : kSides) BinaryConv2dTester().channels(65, 2).image(height, width).Check();
  }
}

TEST(BinaryConv2dTest, AnyKernelStrideAndPadding) {
  const int kernels[][2] = {{1, 1}, {3, 3}, {1, 3}, {3, 1}, {5, 5}, {2, 2}};
  int checked = 0;
  for (const auto& kernel : kernels) {
    for (int stride_h : {1, 2}) {
      for (int stride_w : {1, 2}) {
        for (int pad : {0, 1, 2}) {
          for (int side : {1, 2, 3, 7, 17}) {
            BinaryConv2dTester tester;
            tester.channels(65, 3).image(side, side + 1).kernel(kernel[0], kernel[1]);
            tester.stride(stride_h, stride_w).pad(pad, pad);
            if (!tester.HasOutput()) continue;
            tester.Check();
            ++checked;
          }
        }
      }
    }
  }
  EXPECT_GT(checked, 200);
}

TEST(BinaryConv2dTest, PaddingMayDifferBetweenTheAxes) {
  BinaryConv2dTester().channels(64, 4).image(5, 8).kernel(1, 3).pad(0, 1).Check();
  BinaryConv2dTester().channels(64, 4).image(5, 8).kernel(5, 1).pad(2, 0).Check();
}

TEST(BinaryConv2dTest, PixelsThatSeeOnlyPaddingGiveTheBias) {
  BinaryConv2dTester().channels(64, 4).image(2, 2).kernel(1, 1).pad(2, 2).Check();
}

TEST(BinaryConv2dTest, EveryBitMatchesOrNone) {
  for (int channels : kChannels) {
    for (bool match : {true, false}) {
      BinaryConv2dTester().channels(channels, 5).image(7, 18).extreme(match).Check();
      BinaryConv2dTester().channels(channels, 5).image(3, 18).kernel(1, 1).pad(0, 0).extreme(match).Check();
    }
  }
}

TEST(BinaryConv2dTest, LongKernelsGoThroughSeveralPanels) {
  for (bool match : {true, false}) {
    BinaryConv2dTester().channels(512, 5).image(6, 6).kernel(5, 5).pad(2, 2).extreme(match).Check();
  }
  BinaryConv2dTester().channels(512, 6).image(6, 7).kernel(5, 5).pad(2, 2).Check();
  BinaryConv2dTester().channels(1000, 3).image(5, 5).kernel(5, 5).pad(1, 1).Check();
  BinaryConv2dTester().channels(9000, 3).image(2, 2).kernel(1, 1).pad(0, 0).Check();
}

TEST(BinaryConv2dTest, BiasMayBeAbsent) { BinaryConv2dTester().channels(64, 4).without_bias().Check(); }

TEST(BinaryConv2dTest, WritesOnlyTheRowsAskedFor) {
  for (int begin = 0; begin < 7; ++begin) {
    for (int end = begin; end <= 7; ++end) {
      BinaryConv2dTester().channels(65, 3).image(7, 19).rows(begin, end).Check();
    }
  }
}

TEST(BinaryConv2dTest, RowRangesWithStride) {
  BinaryConv2dTester().channels(128, 3).image(17, 21).stride(2, 2).rows(2, 7).Check();
}

}  // namespace
}  // namespace bdc
