#include "binary_block_tester.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "kernels/float16.h"

namespace bdc {
namespace {

constexpr float kUntouched = -98765.0f;
constexpr uint16_t kUntouchedHalf = 0xfaceu;
constexpr uint64_t kUntouchedBits = 0x123456789abcdef1u;
constexpr int8_t kUntouchedByte = -128;  // no int8 output is −128

float Rprelu(float x, float bias_in, float slope, float bias_out) {
  const float t = x + bias_in;
  return (t > 0 ? t : slope * t) + bias_out;
}

}  // namespace

EpilogueTester::EpilogueTester(const EpilogueParts& parts, int channels, int64_t pixels, uint32_t seed)
    : parts_(parts), channels_(channels), pixels_(pixels), plane_(pixels + 5) {
  for (size_t i = 0; i < std::size(vectors_); ++i) {
    vectors_[i] = RandomFloats(channels, seed + static_cast<uint32_t>(i));
  }
  if (parts.steep) {
    for (float& slope : vectors_[3]) slope *= 3;
  }
  direction_.resize(channels);
  for (int c = 0; c < channels; ++c) direction_[c] = c % 3 == 1 ? -1 : 1;
  residual_f32_ = RandomFloats(channels * plane_, seed + 20);
  for (float x : residual_f32_) residual_f16_.push_back(ToFloat16(x));
  epilogue_.scale = vectors_[0].data();
  if (parts.bias) epilogue_.bias = vectors_[1].data();
  if (parts.activation) {
    epilogue_.activation = {vectors_[2].data(), vectors_[3].data(), vectors_[4].data()};
  }
  if (parts.gate) epilogue_.gate = vectors_[5].data();
  if (parts.residual) {
    const bool half = parts.residual_type == StreamType::kFloat16;
    const void* data = half ? static_cast<const void*>(residual_f16_.data()) : residual_f32_.data();
    epilogue_.residual = {data, parts.residual_type, plane_};
  }
  if (parts.final_activation) {
    epilogue_.final_activation = {vectors_[6].data(), vectors_[7].data(), vectors_[8].data()};
  }
  Reset();
}

void EpilogueTester::Reset() {
  stream_f32_.assign(channels_ * plane_, kUntouched);
  stream_f16_.assign(channels_ * plane_, kUntouchedHalf);
  signs_.assign(channels_ * SignPlaneWords(pixels_), kUntouchedBits);
  quantized_.assign(channels_ * pixels_, kUntouchedByte);
  block_sums_.assign(BlocksOf(pixels_) * channels_, kUntouched);
  if (parts_.stream) {
    const bool half = parts_.stream_type == StreamType::kFloat16;
    void* data = half ? static_cast<void*>(stream_f16_.data()) : stream_f32_.data();
    epilogue_.stream = {data, parts_.stream_type, plane_};
  }
  if (parts_.signs) {
    epilogue_.signs = signs_.data();
    epilogue_.threshold = vectors_[9].data();
    epilogue_.direction = direction_.data();
  }
  if (parts_.quantized) {
    epilogue_.quantized = quantized_.data();
    epilogue_.quantized_factor = 17.3f;
  }
  if (parts_.sums) epilogue_.block_sums = block_sums_.data();
}

float EpilogueTester::Finish(float value, int c, int64_t pixel, bool scaled) const {
  float y = scaled ? vectors_[0][c] * value : value;
  if (parts_.bias) y += vectors_[1][c];
  if (parts_.activation) y = Rprelu(y, vectors_[2][c], vectors_[3][c], vectors_[4][c]);
  if (parts_.gate) y *= vectors_[5][c];
  if (parts_.residual) {
    const int64_t at = c * plane_ + pixel;
    y += parts_.residual_type == StreamType::kFloat16 ? FromFloat16(residual_f16_[at]) : residual_f32_[at];
  }
  return parts_.final_activation ? Rprelu(y, vectors_[6][c], vectors_[7][c], vectors_[8][c]) : y;
}

void EpilogueTester::Expect(const std::vector<float>& values, const BlockRange& range, bool scaled) const {
  const int64_t words = SignPlaneWords(pixels_);
  for (int c = 0; c < channels_; ++c) {
    for (int64_t block = 0; block < BlocksOf(pixels_); ++block) {
      const bool inside = block >= range.block_begin && block < range.block_end && c >= range.channel_begin &&
                          c < range.channel_end;
      double sum = 0, magnitude = 0;
      const int64_t end = std::min(pixels_, (block + 1) * kBlockPixels);
      for (int64_t p = block * kBlockPixels; p < end; ++p) {
        const float y = Finish(values[c * pixels_ + p], c, p, scaled);
        sum += y;
        magnitude += std::fabs(y);
        const bool stream = parts_.stream && inside, half = parts_.stream_type == StreamType::kFloat16;
        ASSERT_EQ(stream_f32_[c * plane_ + p], stream && !half ? y : kUntouched) << c << " " << p;
        ASSERT_EQ(stream_f16_[c * plane_ + p], stream && half ? ToFloat16(y) : kUntouchedHalf)
            << c << " " << p << " " << y;
        const float q = std::nearbyint(std::clamp(y * 17.3f, -127.0f, 127.0f));
        ASSERT_EQ(quantized_[c * pixels_ + p],
                  parts_.quantized && inside ? static_cast<int8_t>(q) : kUntouchedByte)
            << c << " " << p << " " << y;
        if (parts_.signs && inside) {
          const bool bit = direction_[c] > 0 ? y >= vectors_[9][c] : y <= vectors_[9][c];
          ASSERT_EQ(signs_[c * words + p / 64] >> (p % 64) & 1, uint64_t{bit}) << c << " " << p << " " << y;
        }
      }
      for (int64_t p = end; p < (block + 1) * kBlockPixels && parts_.signs && inside; ++p) {
        ASSERT_EQ(signs_[c * words + p / 64] >> (p % 64) & 1, 0u) << "bit past the last pixel, " << c;
      }
      if (!(parts_.signs && inside)) {
        for (int64_t w = 8 * block; w < 8 * block + 8; ++w) {
          ASSERT_EQ(signs_[c * words + w], kUntouchedBits);
        }
      }
      if (parts_.sums && inside) {
        ASSERT_NEAR(block_sums_[block * channels_ + c], sum, 1e-5 * (1 + magnitude)) << c;
      } else {
        ASSERT_EQ(block_sums_[block * channels_ + c], kUntouched);
      }
    }
    for (int64_t p = pixels_; p < plane_; ++p) ASSERT_EQ(stream_f32_[c * plane_ + p], kUntouched);
  }
}

}  // namespace bdc
