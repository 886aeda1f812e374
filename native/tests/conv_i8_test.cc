#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernel_tester.h"
#include "kernels/float16.h"
#include "runtime/aligned_buffer.h"

namespace bdc {
namespace {

/// One int8 convolution with groups of taps at random places, against plain sums and steps: the same bits.
class ConvTester {
 public:
  ConvTester(int channels, int depth, int height, int width)
      : channels_(channels), depth_(depth), height_(height), width_(width), end_(height) {}

  ConvTester& gap(int words) { return gap_ = words, *this; }
  ConvTester& rows(int begin, int end) { return begin_ = begin, end_ = end, *this; }
  ConvTester& without_bias() { return with_bias_ = false, *this; }
  ConvTester& prelu() { return activation_ = 1, *this; }
  ConvTester& rprelu() { return activation_ = 2, *this; }
  ConvTester& residual(StreamType type) { return residual_ = true, stream_ = type, *this; }
  ConvTester& relu() { return relu_ = true, *this; }
  ConvTester& quantized_only() { return real_output_ = false, *this; }
  ConvTester& real_only() { return int8_output_ = false, *this; }
  /// Every weight and value at the end of its range.
  ConvTester& largest() { return largest_ = true, *this; }

  void Check() {
    Prepare();
    ForEachIsa([&](const KernelSet& kernels) {
      Check(*kernels.conv_i8);
      const ConvKernel<int32_t>* tiles = kernels.conv_i8_tiles;
      if (tiles && channels_ % tiles->rows == 0 && depth_ % tiles->group == 0) Check(*tiles);
    });
  }

 private:
  static constexpr float kUntouched = -12345.0f;
  static constexpr int8_t kUntouchedByte = -128;
  static constexpr int kGroup = 16;

  int64_t plane() const { return int64_t{height_} * width_; }

  std::vector<int32_t> RandomQuads(size_t count, uint32_t seed) const {
    std::vector<int8_t> bytes;
    for (float x : RandomFloats(4 * count, seed)) {
      bytes.push_back(static_cast<int8_t>(largest_ ? std::copysign(127.0f, x) : std::nearbyint(x * 127)));
    }
    std::vector<int32_t> quads(count);
    std::memcpy(quads.data(), bytes.data(), bytes.size());
    return quads;
  }

  static int8_t Byte(int32_t quad, int i) { return static_cast<int8_t>(quad >> (8 * i)); }

  void Prepare() {
    const auto seed = static_cast<uint32_t>(channels_ * 3 + depth_ * 5 + width_);
    const int64_t reach = height_ * (width_ + gap_);
    weight_ = RandomQuads(static_cast<size_t>(channels_) * depth_, seed);
    input_ = RandomQuads(reach + depth_ * 7 + kConvSlack, seed + 1);
    taps_.clear();
    for (int k = 0; k < depth_; ++k) taps_.push_back(k / kGroup * 37 % depth_ + k % kGroup * 3);
    scale_ = RandomFloats(channels_, seed + 2);
    bias_ = RandomFloats(channels_, seed + 3);
    slope_ = RandomFloats(channels_, seed + 4);
    bias_in_ = RandomFloats(channels_, seed + 5);
    bias_out_ = RandomFloats(channels_, seed + 6);
    addend_f32_ = RandomFloats(channels_ * plane() + kConvSlack, seed + 7);
    addend_f16_.clear();
    for (float x : addend_f32_) addend_f16_.push_back(ToFloat16(x));
    expected_.assign(channels_ * plane(), 0.0f);
    for (int64_t at = 0; at < channels_ * plane(); ++at) expected_[at] = Expected(at);
  }

  float Expected(int64_t at) const {
    const int64_t o = at / plane(), first = at % plane() / width_ * (width_ + gap_) + at % width_;
    int32_t sum = 0;
    for (int k = 0; k < depth_; ++k) {
      for (int i = 0; i < 4; ++i) sum += Byte(weight_[o * depth_ + k], i) * Byte(input_[taps_[k] + first], i);
    }
    float y = static_cast<float>(sum) * scale_[o];
    if (with_bias_) y += bias_[o];
    if (activation_ > 1) y += bias_in_[o];
    if (activation_ > 0 && !(y > 0)) y *= slope_[o];
    if (activation_ > 1) y += bias_out_[o];
    if (residual_) y += stream_ == StreamType::kFloat16 ? FromFloat16(addend_f16_[at]) : addend_f32_[at];
    return relu_ && y < 0 ? 0.0f : y;
  }

  /// The quads as pairs: of channels 0 and 1 first, then, as further taps, of 2 and 3.
  static int32_t Pair(int32_t quad, int half) {
    return static_cast<uint16_t>(Byte(quad, 2 * half)) | Byte(quad, 2 * half + 1) * 65536;
  }
  struct Words {
    std::vector<int32_t> weight, input, taps;
    int depth;
  };
  Words WordsFor(const ConvKernel<int32_t>& kernel) const {
    Words words{weight_, input_, taps_, depth_};
    if (kernel.channels == 4) return words;
    words = {{}, {}, taps_, 2 * depth_};
    const auto size = static_cast<int32_t>(input_.size());
    for (int32_t tap : taps_) words.taps.push_back(size + tap);
    for (int half = 0; half < 2; ++half) {
      for (int32_t quad : input_) words.input.push_back(Pair(quad, half));
    }
    for (int64_t o = 0; o < channels_; ++o) {
      for (int half = 0; half < 2; ++half) {
        for (int64_t k = 0; k < depth_; ++k) words.weight.push_back(Pair(weight_[o * depth_ + k], half));
      }
    }
    return words;
  }

  void Check(const ConvKernel<int32_t>& kernel) const {
    const Words words = WordsFor(kernel);
    AlignedBuffer<int32_t> packed(words.weight.size()), scratch(ConvScratchWords(channels_, words.depth));
    PackConvWeights(words.weight.data(), channels_, words.depth, kernel, packed.data());
    std::vector<int32_t> start;
    for (int64_t o = 0; o < channels_; ++o) {
      int32_t sum = 0;
      for (int64_t k = 0; k < depth_; ++k) {
        for (int i = 0; i < 4; ++i) sum += Byte(weight_[o * depth_ + k], i);
      }
      start.push_back(-kernel.input_offset * sum);
    }
    const bool is_half = stream_ == StreamType::kFloat16;
    std::vector<float> values(channels_ * plane(), kUntouched);
    std::vector<uint16_t> halves(channels_ * plane(), ToFloat16(kUntouched));
    std::vector<int8_t> quantized(channels_ * plane(), kUntouchedByte);
    std::vector<void*> planes;
    for (int64_t o = 0; o < channels_; ++o) {
      planes.push_back(is_half ? static_cast<void*>(&halves[o * plane()]) : &values[o * plane()]);
    }
    ConvEpilogue epilogue{
        .scale = scale_.data(),
        .bias = with_bias_ ? bias_.data() : nullptr,
        .activation = {activation_ > 1 ? bias_in_.data() : nullptr, activation_ > 0 ? slope_.data() : nullptr,
                       activation_ > 1 ? bias_out_.data() : nullptr},
        .relu = relu_,
        .output = real_output_ ? planes.data() : nullptr,
        .output_type = stream_,
        .quantized = int8_output_ ? quantized.data() : nullptr,
        .quantized_plane = plane(),
        .quantized_factor = 16.0f};
    const void* const addend = is_half ? static_cast<const void*>(addend_f16_.data()) : addend_f32_.data();
    if (residual_) epilogue.residual = {addend, stream_, plane()};
    kernel.run({packed.data(), start.data(), words.taps.data(), words.input.data(), epilogue, channels_,
                words.depth, width_, int64_t{width_} + gap_, scratch.data()},
               begin_, end_);
    for (int64_t at = 0; at < channels_ * plane(); ++at) {
      const int64_t y = at % plane() / width_;
      const bool is_asked = y >= begin_ && y < end_;
      const float scaled = std::clamp(expected_[at] * 16.0f, -127.0f, 127.0f);
      ASSERT_EQ(quantized[at],
                is_asked && int8_output_ ? static_cast<int8_t>(std::nearbyint(scaled)) : kUntouchedByte)
          << "value " << at << ", " << Shape();
      const float real = is_asked && real_output_ ? expected_[at] : kUntouched;
      if (is_half) {
        ASSERT_EQ(halves[at], ToFloat16(real)) << "value " << at << ", " << Shape();
      } else {
        ASSERT_EQ(values[at], real) << "value " << at << ", " << Shape();
      }
    }
  }

  std::string Shape() const {
    return std::to_string(channels_) + " channels, " + std::to_string(depth_) + " taps, " +
           std::to_string(height_) + "x" + std::to_string(width_);
  }

  int channels_, depth_, height_, width_;
  int begin_ = 0, end_, gap_ = 0, activation_ = 0;
  bool with_bias_ = true, residual_ = false, relu_ = false, real_output_ = true, int8_output_ = true,
       largest_ = false;
  StreamType stream_ = StreamType::kFloat32;
  std::vector<int32_t> weight_, input_, taps_;
  std::vector<float> scale_, bias_, slope_, bias_in_, bias_out_, addend_f32_, expected_;
  std::vector<uint16_t> addend_f16_;
};

TEST(ConvI8Test, AnyNumberOfOutputChannels) {
  for (int channels = 1; channels <= 33; ++channels) ConvTester(channels, 9, 3, 14).gap(2).Check();
  for (int channels : {32, 64, 96}) ConvTester(channels, 48, 3, 14).gap(2).Check();
}

TEST(ConvI8Test, AnyWidth) {
  for (int width = 1; width <= 70; ++width) ConvTester(32, 16, 3, width).gap(width % 3).Check();
  for (int width : {191, 192, 193, 383, 385, 800}) ConvTester(13, 9, 2, width).gap(1).Check();
}

TEST(ConvI8Test, AnyDepth) {
  for (int depth : {1, 2, 3, 27, 63, 288, 289, 511, 576, 577, 1025})
    ConvTester(13, depth, 5, 61).gap(2).Check();
  for (int depth : {16, 288, 304, 496, 576, 592, 1024}) ConvTester(64, depth, 5, 61).gap(2).Check();
}

TEST(ConvI8Test, TheLargestProductsDoNotSaturate) {
  ConvTester(7, 33, 2, 40).largest().Check();
  ConvTester(32, 32, 2, 40).largest().Check();
}

TEST(ConvI8Test, BiasMayBeAbsent) { ConvTester(14, 30, 4, 45).without_bias().Check(); }

TEST(ConvI8Test, WritesOnlyTheRowsAskedFor) {
  ConvTester(9, 20, 10, 30).gap(2).rows(3, 4).Check();
  ConvTester(9, 600, 10, 100).gap(2).rows(1, 9).Check();
  ConvTester(32, 608, 10, 100).gap(2).rows(1, 9).Check();
}

TEST(ConvI8Test, StepsBehindTheSums) {
  ConvTester(14, 30, 4, 45).gap(2).prelu().Check();
  ConvTester(14, 600, 4, 45).gap(2).rprelu().Check();
  ConvTester(6, 30, 4, 45).relu().Check();
  ConvTester(6, 30, 4, 45).gap(1).residual(StreamType::kFloat32).relu().Check();
  ConvTester(32, 32, 4, 45).gap(1).rprelu().residual(StreamType::kFloat16).relu().Check();
}

TEST(ConvI8Test, Int8MayBeAllThatIsAskedFor) {
  ConvTester(14, 30, 4, 45).gap(2).relu().quantized_only().Check();
  ConvTester(32, 32, 4, 45).relu().quantized_only().Check();
}

TEST(ConvI8Test, RealValuesMayBeAllThatIsAskedFor) {
  for (int width : {14, 32, 64, 100}) {
    for (int gap : {0, 2}) {
      ConvTester(14, 30, 4, width).gap(gap).real_only().Check();
      ConvTester(14, 600, 4, width).gap(gap).real_only().prelu().Check();
      ConvTester(32, 32, 4, width).gap(gap).without_bias().real_only().Check();
    }
  }
}

}  // namespace
}  // namespace bdc
