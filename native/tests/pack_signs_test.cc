#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kernel_tester.h"

namespace bdc {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

/// One image with thresholds; expects what comparing value by value gives.
class PackSignsTester {
 public:
  PackSignsTester(int channels, int height, int width) : channels_(channels), height_(height), width_(width) {
    const size_t plane = static_cast<size_t>(height) * width;
    const uint32_t seed = static_cast<uint32_t>(channels * 101 + height * 7 + width);
    input_ = RandomFloats(plane * channels, seed);
    threshold_ = RandomFloats(channels, seed + 1);
    for (int c = 0; c < channels; ++c) {
      direction_.push_back(c % 3 == 1 ? -1 : 1);
      // The comparison includes equality: every channel meets it once.
      input_[c * plane + c % plane] = threshold_[c];
    }
  }

  PackSignsTester& thresholds(float value) { return threshold_.assign(channels_, value), *this; }
  PackSignsTester& inputs(float value) { return input_.assign(input_.size(), value), *this; }
  /// Every third input is one of the values that comparisons treat specially.
  PackSignsTester& special_inputs() {
    const float special[] = {kNan, kInfinity, -kInfinity, 0.0f, -0.0f, -kNan, 1e-45f};
    for (size_t i = 0; i < input_.size(); i += 3) input_[i] = special[i / 3 % std::size(special)];
    return *this;
  }
  PackSignsTester& rows(int begin, int end) { return begin_ = begin, end_ = end, *this; }

  void Check() {
    const int end = end_ < 0 ? height_ : end_;
    const std::vector<uint64_t> expected = Expected(end);
    ForEachIsa([&](const KernelSet& kernels) {
      std::vector<uint64_t> output(expected.size(), kUntouched);
      kernels.pack_signs(
          {input_.data(), threshold_.data(), direction_.data(), output.data(), channels_, height_, width_},
          begin_, end);
      for (size_t i = 0; i < expected.size(); ++i) {
        ASSERT_EQ(output[i], expected[i])
            << "word " << i << ", " << channels_ << " channels of " << height_ << "x" << width_;
      }
    });
  }

 private:
  static constexpr uint64_t kUntouched = 0x123456789abcdef0u;

  std::vector<uint64_t> Expected(int end) const {
    const size_t words = WordsFor(channels_);
    const size_t plane = static_cast<size_t>(height_) * width_;
    std::vector<uint64_t> expected(plane * words, kUntouched);
    for (size_t pixel = static_cast<size_t>(begin_) * width_; pixel < static_cast<size_t>(end) * width_;
         ++pixel) {
      for (size_t w = 0; w < words; ++w) expected[pixel * words + w] = 0;
      for (int c = 0; c < channels_; ++c) {
        const float x = input_[c * plane + pixel];
        const bool bit = direction_[c] > 0 ? x >= threshold_[c] : x <= threshold_[c];
        expected[pixel * words + c / 64] |= static_cast<uint64_t>(bit) << (c % 64);
      }
    }
    return expected;
  }

  int channels_, height_, width_;
  int begin_ = 0, end_ = -1;
  std::vector<float> input_, threshold_;
  std::vector<int8_t> direction_;
};

constexpr int kChannels[] = {1, 2, 31, 32, 33, 63, 64, 65, 95, 96, 97, 127, 128, 129, 200, 256, 512};

TEST(PackSignsTest, AnyNumberOfChannels) {
  for (int channels : kChannels) PackSignsTester(channels, 5, 13).Check();
}

TEST(PackSignsTest, AnyImageSize) {
  for (int height : {1, 2, 3, 7, 17, 64}) {
    for (int width : {1, 2, 3, 7, 17, 64}) PackSignsTester(65, height, width).Check();
  }
}

TEST(PackSignsTest, InfiniteThresholdsMakeAChannelConstant) {
  for (int channels : kChannels) {
    PackSignsTester(channels, 3, 11).thresholds(kInfinity).Check();
    PackSignsTester(channels, 3, 11).thresholds(-kInfinity).Check();
    PackSignsTester(channels, 3, 11).thresholds(kInfinity).special_inputs().Check();
    PackSignsTester(channels, 3, 11).thresholds(-kInfinity).special_inputs().Check();
  }
}

TEST(PackSignsTest, NanInputAndNanThresholdGiveZero) {
  for (int channels : kChannels) {
    PackSignsTester(channels, 4, 9).inputs(kNan).Check();
    PackSignsTester(channels, 4, 9).thresholds(kNan).Check();
    PackSignsTester(channels, 4, 9).special_inputs().Check();
  }
}

TEST(PackSignsTest, ZeroHasNoSign) {
  PackSignsTester(130, 4, 9).thresholds(0.0f).special_inputs().Check();
  PackSignsTester(130, 4, 9).thresholds(-0.0f).special_inputs().Check();
}

TEST(PackSignsTest, WritesOnlyTheRowsAskedFor) {
  for (int begin = 0; begin < 5; ++begin) {
    for (int end = begin; end <= 5; ++end) PackSignsTester(65, 5, 23).rows(begin, end).Check();
  }
}

}  // namespace
}  // namespace bdc
