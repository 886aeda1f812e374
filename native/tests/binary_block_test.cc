#include <gtest/gtest.h>

#include <cmath>

#include "binary_block_tester.h"
#include "kernels/float16.h"
#include "kernels/quantized-lines.h"
#include "kernels/quantized-table.h"
#include "runtime/aligned_buffer.h"

namespace bdc {
namespace {

/// Layers whose int8 values a kernel has looked up, and channels of which it could draw them as lines.
int looked_up = 0, drawn = 0;

/// One shape of a binary layer with its data and the sums a plain loop over ±1 gives.
class BinaryBlockTester {
 public:
  BinaryBlockTester& channels(int in, int out) { return s_.in_channels = in, s_.out_channels = out, *this; }
  BinaryBlockTester& image(int h, int w) { return s_.in_height = h, s_.in_width = w, *this; }
  BinaryBlockTester& kernel(int h, int w) { return s_.kernel_h = h, s_.kernel_w = w, *this; }
  BinaryBlockTester& stride(int h, int w) { return s_.stride_h = h, s_.stride_w = w, *this; }
  BinaryBlockTester& pad(int h, int w) { return s_.pad_h = h, s_.pad_w = w, *this; }
  /// All inputs +1 and all weights +1 (`match`) or −1.
  BinaryBlockTester& extreme(bool match) { return extreme_ = true, match_ = match, *this; }
  BinaryBlockTester& epilogue(const EpilogueParts& parts) { return parts_ = parts, *this; }
  BinaryBlockTester& range(const BlockRange& range) { return range_ = range, *this; }

  bool HasOutput() const {
    return s_.in_height + 2 * s_.pad_h >= s_.kernel_h && s_.in_width + 2 * s_.pad_w >= s_.kernel_w;
  }

  void Check() {
    s_.out_height = (s_.in_height + 2 * s_.pad_h - s_.kernel_h) / s_.stride_h + 1;
    s_.out_width = (s_.in_width + 2 * s_.pad_w - s_.kernel_w) / s_.stride_w + 1;
    const size_t taps = static_cast<size_t>(s_.out_channels) * s_.kernel_h * s_.kernel_w;
    const uint32_t seed = static_cast<uint32_t>(s_.in_channels * 131 + s_.in_height * 17 + s_.kernel_w);
    pixels_ = extreme_ ? FullBits(s_.InPixels(), s_.in_channels, true)
                       : RandomBits(s_.InPixels(), s_.in_channels, seed);
    weight_ = extreme_ ? FullBits(taps, s_.in_channels, match_) : RandomBits(taps, s_.in_channels, seed + 1);
    const MajorityWeights weights(s_, weight_.data());
    const int64_t words = WordsFor(s_.in_channels);
    const std::vector<uint64_t> planes = SignPlanes(s_.in_channels, s_.InPixels(), [&](int c, int64_t p) {
      return pixels_[p * words + c / 64] >> (c % 64) & 1;
    });
    // No byte before or after the planes may be read: the sanitizer's build sees it.
    AlignedBuffer<uint64_t> input(planes.size());
    std::copy(planes.begin(), planes.end(), input.data());
    if (range_.block_end < 0) range_ = {0, BlocksOf(s_.OutPixels()), 0, s_.out_channels};
    const std::vector<float> sums = Sums();
    EpilogueTester epilogue(parts_, s_.out_channels, s_.OutPixels(), seed + 2);
    ForEachIsa([&](const KernelSet& kernels) {
      epilogue.Reset();
      AlignedBuffer<std::byte> scratch(
          kernels.binary_block_scratch(weights, range_.channel_end - range_.channel_begin));
      kernels.binary_block({&weights, input.data(), epilogue.epilogue()}, range_, scratch.data());
      SCOPED_TRACE(Shape());
      epilogue.Expect(sums, range_, true);
      CheckLines(kernels, weights, input.data(), epilogue, sums);
      if (!kernels.looks_up_quantized || !QuantizedTable::Takes(weights, epilogue.epilogue())) return;
      const QuantizedTable table(weights, epilogue.epilogue());
      epilogue.Reset();
      kernels.binary_block({&weights, input.data(), epilogue.epilogue(), &table}, range_, scratch.data());
      epilogue.Expect(sums, range_, true);
      ++looked_up;
    });
  }

 private:
  void CheckLines(const KernelSet& kernels, const MajorityWeights& weights, const uint64_t* input,
                  EpilogueTester& epilogue, const std::vector<float>& sums) {
    if (!kernels.draws_lines || !IsQuantizedFunction(epilogue.epilogue())) return;
    const std::vector<QuantizedLines> lines = QuantizedLinesOf(s_, epilogue.epilogue());
    for (const QuantizedLines& channel : lines) drawn += channel.is_exact;
    epilogue.Reset();
    AlignedBuffer<std::byte> scratch(
        kernels.binary_block_scratch(weights, range_.channel_end - range_.channel_begin));
    BinaryBlockArgs args{&weights, input, epilogue.epilogue()};
    args.epilogue.lines = lines.data();
    kernels.binary_block(args, range_, scratch.data());
    epilogue.Expect(sums, range_, true);
  }

  int Value(const std::vector<uint64_t>& bits, size_t vector, int channel) const {
    return bits[vector * WordsFor(s_.in_channels) + channel / 64] >> (channel % 64) & 1 ? 1 : -1;
  }

  std::vector<float> Sums() const {
    std::vector<float> sums;
    for (int o = 0; o < s_.out_channels; ++o) {
      for (int y = 0; y < s_.out_height; ++y) {
        for (int x = 0; x < s_.out_width; ++x) sums.push_back(static_cast<float>(Sum(o, y, x)));
      }
    }
    return sums;
  }

  int Sum(int o, int y, int x) const {
    int sum = 0;
    for (int ky = 0; ky < s_.kernel_h; ++ky) {
      for (int kx = 0; kx < s_.kernel_w; ++kx) {
        const int iy = y * s_.stride_h - s_.pad_h + ky, ix = x * s_.stride_w - s_.pad_w + kx;
        if (iy < 0 || iy >= s_.in_height || ix < 0 || ix >= s_.in_width) continue;
        const size_t pixel = static_cast<size_t>(iy) * s_.in_width + ix;
        const size_t tap = (static_cast<size_t>(o) * s_.kernel_h + ky) * s_.kernel_w + kx;
        for (int c = 0; c < s_.in_channels; ++c) sum += Value(pixels_, pixel, c) * Value(weight_, tap, c);
      }
    }
    return sum;
  }

  std::string Shape() const {
    const auto pair = [](int h, int w) { return std::to_string(h) + "x" + std::to_string(w); };
    return std::to_string(s_.in_channels) + "->" + std::to_string(s_.out_channels) + " image " +
           pair(s_.in_height, s_.in_width) + " kernel " + pair(s_.kernel_h, s_.kernel_w) + " stride " +
           pair(s_.stride_h, s_.stride_w) + " pad " + pair(s_.pad_h, s_.pad_w);
  }

  BinaryConvShape s_{64, 5, 5, 3, 0, 0, 3, 3, 1, 1, 1, 1};
  bool extreme_ = false, match_ = false;
  EpilogueParts parts_;
  BlockRange range_{0, -1, 0, 0};
  std::vector<uint64_t> pixels_, weight_;
};

TEST(BinaryBlockTest, AnyNumberOfInputChannels) {
  for (int channels : {1, 2, 3, 13, 14, 15, 63, 64, 65, 127, 129, 200, 256}) {
    BinaryBlockTester().channels(channels, 3).image(6, 9).Check();
    BinaryBlockTester().channels(channels, 3).image(6, 9).kernel(1, 1).pad(0, 0).Check();
  }
  BinaryBlockTester().channels(512, 2).image(5, 5).Check();
}

TEST(BinaryBlockTest, AnyNumberOfLookups) {
  // Sums are unrolled for each number of steps in a chunk, for the first chunk and for others.
  for (int steps = 1; steps <= 17; ++steps) {
    BinaryBlockTester().channels(16 * steps, 3).image(5, 29).kernel(1, 1).pad(0, 0).Check();
    BinaryBlockTester().channels(16 * steps - 5, 2).image(5, 29).kernel(1, 1).pad(0, 0).Check();
  }
  // Carries of chunks are added by four.
  for (int chunks = 1; chunks <= 9; ++chunks) {
    BinaryBlockTester().channels(128 * chunks, 2).image(3, 5).kernel(1, 1).pad(0, 0).extreme(false).Check();
    BinaryBlockTester().channels(128 * chunks, 2).image(3, 5).kernel(1, 1).pad(0, 0).Check();
  }
}

TEST(BinaryBlockTest, AnyNumberOfOutputChannels) {
  for (int channels : {1, 2, 7, 33, 130}) BinaryBlockTester().channels(70, channels).image(4, 5).Check();
}

TEST(BinaryBlockTest, AnyImageSize) {
  for (int height : {1, 2, 3, 7, 17, 64}) {
    for (int width : {1, 2, 3, 7, 17, 64, 130, 600}) {
      BinaryBlockTester().channels(9, 2).image(height, width).Check();
    }
  }
}

TEST(BinaryBlockTest, AnyKernelStrideAndPadding) {
  const int kernels[][2] = {{1, 1}, {3, 3}, {1, 3}, {3, 1}, {5, 5}, {2, 2}};
  int checked = 0;
  for (const auto& kernel : kernels) {
    for (int stride_h : {1, 2, 3}) {
      for (int stride_w : {1, 2, 3}) {
        for (int pad : {0, 1, 2}) {
          for (int side : {1, 3, 17, 37}) {
            BinaryBlockTester tester;
            tester.channels(17, 2).image(side, side + 1).kernel(kernel[0], kernel[1]);
            tester.stride(stride_h, stride_w).pad(pad, pad);
            if (!tester.HasOutput()) continue;
            tester.Check();
            ++checked;
          }
        }
      }
    }
  }
  EXPECT_GT(checked, 400);
}

TEST(BinaryBlockTest, StrideOfTwoInAnyImageSize) {
  for (int height : {1, 2, 9, 70}) {
    for (int width : {2, 9, 63, 64, 65, 130, 1100}) {
      BinaryBlockTester().channels(9, 2).image(height, width).stride(2, 2).Check();
      BinaryBlockTester()
          .channels(9, 2)
          .image(height + 4, width + 4)
          .kernel(5, 5)
          .stride(2, 2)
          .pad(2, 2)
          .Check();
    }
  }
  BinaryBlockTester().channels(9, 2).image(90, 101).stride(2, 2).range({2, 4, 0, 2}).Check();
}

TEST(BinaryBlockTest, EveryBitMatchesOrNone) {
  for (int channels : {1, 64, 65, 256, 512}) {
    for (bool match : {true, false}) {
      BinaryBlockTester().channels(channels, 3).image(7, 18).extreme(match).Check();
      BinaryBlockTester().channels(channels, 3).image(3, 18).kernel(1, 1).pad(0, 0).extreme(match).Check();
    }
  }
  // Sums of the most and of one more than fit so many bits.
  for (int channels : {127, 128, 511, 2047, 2048}) {
    for (bool match : {true, false}) {
      BinaryBlockTester().channels(channels, 3).image(3, 18).kernel(1, 1).pad(0, 0).extreme(match).Check();
    }
  }
  // The longest kernel there may be.
  BinaryBlockTester().channels(5461, 2).image(2, 3).kernel(1, 3).pad(0, 1).extreme(false).Check();
}

TEST(BinaryBlockTest, TooLongAKernelIsRefused) {
  const BinaryConvShape shape{16384, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0};
  const std::vector<uint64_t> weight(256);
  EXPECT_THROW(MajorityWeights(shape, weight.data()), std::invalid_argument);
}

TEST(BinaryBlockTest, EpilogueEqualsItsStepsOneByOne) {
  for (StreamType type : {StreamType::kFloat32, StreamType::kFloat16}) {
    for (int parts = 0; parts < 1 << 9; parts += 1 + parts % 3) {
      const auto has = [parts](int bit) { return (parts >> bit & 1) != 0; };
      BinaryBlockTester()
          .channels(20, 4)
          .image(23, 29)
          .epilogue({.bias = has(0),
                     .activation = has(1),
                     .gate = has(2),
                     .final_activation = has(3),
                     .residual = has(4),
                     .stream = has(5),
                     .signs = has(6),
                     .quantized = has(7),
                     .sums = has(8),
                     .residual_type = type,
                     .stream_type = type})
          .Check();
    }
  }
}

TEST(BinaryBlockTest, DrawsInt8ValuesByTwoLinesWhereTheyGiveTheSame) {
  const int before = drawn;
  int channels = 0;
  for (bool activation : {false, true}) {
    for (int in : {1, 13, 32, 64, 130}) {
      for (const auto& [height, width] : {std::pair{23, 29}, {1, 1}, {9, 70}}) {
        channels += 6;
        BinaryBlockTester()
            .channels(in, 6)
            .image(height, width)
            .epilogue(
                {.bias = true, .activation = activation, .stream = false, .quantized = true, .steep = true})
            .Check();
      }
    }
  }
  int sets = 0;
  ForEachIsa([&](const KernelSet& kernels) { sets += kernels.draws_lines; });
  // Few sums come as near to half a step as the lines differ from the steps.
  EXPECT_GE(drawn - before, channels * sets * 9 / 10);
}

TEST(BinaryBlockTest, LooksInt8ValuesUp) {
  const auto layer = [](int in, int out) {
    BinaryBlockTester tester;
    tester.channels(in, out).epilogue({.bias = true, .activation = true, .stream = false, .quantized = true});
    return tester;
  };
  const int before = looked_up;
  for (int channels : {2, 14, 32, 64, 126, 128, 256}) {
    layer(channels, 3).image(23, 29).Check();
    layer(channels, 3).image(9, 70).kernel(1, 1).pad(0, 0).Check();
    layer(channels, 2).image(6, 9).extreme(channels % 4 == 0).Check();
  }
  for (int height : {1, 2, 16, 17, 64}) {
    for (int width : {1, 3, 16, 130, 600}) layer(10, 2).image(height, width).Check();
  }
  layer(12, 3).image(90, 101).stride(2, 2).Check();
  layer(34, 7).image(31, 41).range({1, 2, 2, 5}).Check();
  layer(34, 7).image(31, 41).range({1, 3, 0, 7}).Check();
  bool is_there = false;
  ForEachIsa([&](const KernelSet& kernels) { is_there |= kernels.looks_up_quantized; });
  // Where none does there was nothing to look up.
  EXPECT_EQ(looked_up > before + 20, is_there);
}

TEST(BinaryBlockTest, WritesOnlyTheRangeAskedFor) {
  EpilogueParts parts;
  parts.signs = parts.quantized = parts.sums = parts.residual = true;
  for (const BlockRange& range : {BlockRange{0, 1, 0, 7}, BlockRange{1, 3, 2, 5}, BlockRange{2, 3, 6, 7},
                                  BlockRange{1, 1, 0, 7}, BlockRange{0, 3, 3, 3}}) {
    BinaryBlockTester().channels(33, 7).image(31, 41).epilogue(parts).range(range).Check();
  }
}

TEST(SweepTest, EqualsItsStepsOneByOne) {
  constexpr int kChannels = 5;
  for (int64_t pixels : {1, 511, 512, 513, 1300, 33000}) {
    const std::vector<float> input = RandomFloats(kChannels * pixels, static_cast<uint32_t>(pixels));
    std::vector<uint16_t> half;
    std::vector<float> rounded;
    for (float x : input) half.push_back(ToFloat16(x)), rounded.push_back(FromFloat16(half.back()));
    EpilogueParts parts;
    parts.gate = parts.residual = parts.signs = true;
    EpilogueTester epilogue(parts, kChannels, pixels, 7);
    const BlockRange all{0, BlocksOf(pixels), 0, kChannels};
    ForEachIsa([&](const KernelSet& kernels) {
      BlockEpilogue unscaled = epilogue.epilogue();
      unscaled.scale = nullptr;
      epilogue.Reset();
      kernels.sweep({{input.data(), StreamType::kFloat32, pixels}, pixels, kChannels, unscaled}, all);
      epilogue.Expect(input, all, false);
      epilogue.Reset();
      kernels.sweep({{half.data(), StreamType::kFloat16, pixels}, pixels, kChannels, unscaled}, all);
      epilogue.Expect(rounded, all, false);
    });
  }
}

TEST(Float16Test, SoftwareGivesWhatTheInstructionSetsGive) {
  // All halves, and floats around each: the stream's type must not depend on the CPU.
  std::vector<uint16_t> halves;
  for (uint32_t h = 0; h < 0x10000; ++h) halves.push_back(static_cast<uint16_t>(h));
  std::vector<float> floats;
  for (uint16_t h : halves) {
    const float x = FromFloat16(h);
    if (std::isnan(x)) continue;
    floats.insert(floats.end(), {x, std::nextafter(x, INFINITY), std::nextafter(x, -INFINITY)});
    const float next = FromFloat16(static_cast<uint16_t>(h + 1));
    if (std::isfinite(x) && std::isfinite(next)) floats.push_back(x + (next - x) / 2);
  }
  ForEachIsa([&](const KernelSet& kernels) {
    std::vector<float> widened(halves.size());
    SweepArgs widen{{halves.data(), StreamType::kFloat16, 0}, static_cast<int64_t>(halves.size()), 1, {}};
    widen.epilogue.stream = {widened.data(), StreamType::kFloat32, 0};
    kernels.sweep(widen, {0, BlocksOf(widen.pixels), 0, 1});
    for (uint16_t h : halves) {
      if (std::isnan(FromFloat16(h))) {
        EXPECT_TRUE(std::isnan(widened[h])) << h;
      } else {
        ASSERT_EQ(widened[h], FromFloat16(h)) << h;
      }
    }
    std::vector<uint16_t> narrowed(floats.size());
    SweepArgs narrow{{floats.data(), StreamType::kFloat32, 0}, static_cast<int64_t>(floats.size()), 1, {}};
    narrow.epilogue.stream = {narrowed.data(), StreamType::kFloat16, 0};
    kernels.sweep(narrow, {0, BlocksOf(narrow.pixels), 0, 1});
    for (size_t i = 0; i < floats.size(); ++i) {
      ASSERT_EQ(narrowed[i], ToFloat16(floats[i])) << floats[i];
    }
  });
}

}  // namespace
}  // namespace bdc
