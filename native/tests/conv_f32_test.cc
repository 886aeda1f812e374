#include <gtest/gtest.h>

#include <cmath>

#include "kernel_tester.h"

namespace bdc {
namespace {

/// One real convolution with taps at random places, against sums in double precision.
class ConvTester {
 public:
  ConvTester(int channels, int depth, int height, int width)
      : channels_(channels), depth_(depth), height_(height), width_(width), end_(height) {}

  ConvTester& gap(int values) { return gap_ = values, *this; }
  ConvTester& without_bias() { return with_bias_ = false, *this; }
  ConvTester& rows(int begin, int end) { return begin_ = begin, end_ = end, *this; }
  ConvTester& prelu() { return activation_ = 1, *this; }
  ConvTester& rprelu() { return activation_ = 2, *this; }

  void Check() const {
    const int64_t pitch = width_ + gap_, plane = int64_t{height_} * width_, reach = height_ * pitch;
    const auto seed = static_cast<uint32_t>(channels_ * 3 + depth_ * 5 + width_);
    const auto weight = RandomFloats(static_cast<size_t>(channels_) * depth_, seed);
    const auto bias = RandomFloats(channels_, seed + 1), slope = RandomFloats(channels_, seed + 2);
    const auto bias_in = RandomFloats(channels_, seed + 3), bias_out = RandomFloats(channels_, seed + 4);
    const auto input = RandomFloats(reach + depth_ * 7 + kConvSlack, seed + 5);
    std::vector<int32_t> taps;
    for (int k = 0; k < depth_; ++k) taps.push_back((k * 37) % (depth_ * 7));
    ForEachIsa([&](const KernelSet& kernels) {
      std::vector<float> packed(weight.size()), output(channels_ * plane, kUntouched);
      PackConvWeights(weight.data(), channels_, depth_, *kernels.conv_f32, packed.data());
      std::vector<void*> planes;
      for (int o = 0; o < channels_; ++o) planes.push_back(output.data() + o * plane);
      alignas(64) static float scratch[64 * kConvStrip + kConvSlack];
      const ConvActivation activation{activation_ > 1 ? bias_in.data() : nullptr,
                                      activation_ > 0 ? slope.data() : nullptr,
                                      activation_ > 1 ? bias_out.data() : nullptr};
      kernels.conv_f32->run({packed.data(),
                             with_bias_ ? bias.data() : nullptr,
                             taps.data(),
                             input.data(),
                             {.activation = activation, .output = planes.data()},
                             channels_,
                             depth_,
                             width_,
                             pitch,
                             scratch},
                            begin_, end_);
      for (int64_t at = 0; at < channels_ * plane; ++at) {
        const int64_t o = at / plane, y = at % plane / width_, x = at % width_;
        if (y < begin_ || y >= end_) {
          ASSERT_EQ(output[at], kUntouched) << "channel " << o << " row " << y << ", " << Shape();
          continue;
        }
        double sum = with_bias_ ? bias[o] : 0.0, size = std::abs(sum);
        for (int k = 0; k < depth_; ++k) {
          const double product = double{weight[o * depth_ + k]} * input[taps[k] + y * pitch + x];
          sum += product;
          size += std::abs(product);
        }
        if (activation_ > 1) sum += bias_in[o];
        if (activation_ > 0 && !(sum > 0)) sum *= slope[o];
        if (activation_ > 1) sum += bias_out[o];
        // Each step of a float sum rounds by at most 2^-24 of the terms' size; the activation adds three.
        ASSERT_NEAR(output[at], sum, (depth_ + 4) * 0x1p-24 * (size + 3))
            << "channel " << o << " row " << y << " column " << x << ", " << Shape();
      }
    });
  }

 private:
  static constexpr float kUntouched = -12345.0f;

  std::string Shape() const {
    return std::to_string(channels_) + " channels, " + std::to_string(depth_) + " taps, " +
           std::to_string(height_) + "x" + std::to_string(width_);
  }

  int channels_, depth_, height_, width_;
  int begin_ = 0, end_, gap_ = 0, activation_ = 0;
  bool with_bias_ = true;
};

TEST(ConvF32Test, AnyNumberOfOutputChannels) {
  for (int channels = 1; channels <= 33; ++channels) ConvTester(channels, 9, 3, 14).gap(2).Check();
}

TEST(ConvF32Test, AnyWidth) {
  for (int width = 1; width <= 70; ++width) ConvTester(5, 9, 3, width).gap(width % 3).Check();
  for (int width : {191, 192, 193, 383, 385, 800}) ConvTester(13, 9, 2, width).gap(1).Check();
}

TEST(ConvF32Test, AnyDepth) {
  for (int depth : {1, 2, 3, 27, 63, 288, 289, 511, 576, 577, 1025})
    ConvTester(13, depth, 5, 61).gap(2).Check();
}

TEST(ConvF32Test, BiasMayBeAbsent) { ConvTester(14, 30, 4, 45).without_bias().Check(); }

TEST(ConvF32Test, WritesOnlyTheRowsAskedFor) {
  ConvTester(9, 20, 10, 30).gap(2).rows(3, 4).Check();
  ConvTester(9, 600, 10, 100).gap(2).rows(1, 9).Check();
}

TEST(ConvF32Test, Activations) {
  ConvTester(14, 30, 4, 45).gap(2).prelu().Check();
  ConvTester(14, 600, 4, 45).gap(2).rprelu().Check();
  ConvTester(6, 30, 4, 45).rprelu().Check();
}

}  // namespace
}  // namespace bdc
