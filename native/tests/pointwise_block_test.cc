#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "binary_block_tester.h"
#include "kernels/float16.h"
#include "kernels/register-table-weights.h"
#include "kernels/sum-table-weights.h"
#include "kernels/tile-weights.h"
#include "runtime/aligned_buffer.h"

namespace bdc {
namespace {

EpilogueParts AllOutputs() {
  EpilogueParts parts;
  parts.bias = parts.activation = parts.residual = parts.signs = parts.quantized = true;
  return parts;
}

/// 1×1 layers on whole numbers in [−127, 127], whose sums are exact in every arithmetic.
void Check(int in, int out, int64_t pixels, const BlockRange& range, int extreme = 0) {
  const uint32_t seed = static_cast<uint32_t>(in * 31 + out * 7 + pixels);
  std::vector<int8_t> bytes;
  for (float x : RandomFloats(in * pixels, seed)) {
    bytes.push_back(static_cast<int8_t>(extreme != 0 ? extreme : static_cast<int>(x * 127.9f)));
  }
  const std::vector<uint64_t> weight = extreme != 0 ? FullBits(out, in, true) : RandomBits(out, in, seed + 1);
  const SumTableWeights weights(in, out, weight.data());
  std::vector<float> sums(out * pixels, 0.0f);
  for (int o = 0; o < out; ++o) {
    for (int i = 0; i < in; ++i) {
      const bool plus = weight[static_cast<size_t>(o) * WordsFor(in) + i / 64] >> (i % 64) & 1;
      for (int64_t p = 0; p < pixels; ++p) {
        sums[o * pixels + p] += static_cast<float>(plus ? bytes[i * pixels + p] : -bytes[i * pixels + p]);
      }
    }
  }
  // Buffers of just the input's size: the sanitizer's build sees what is read past them.
  AlignedBuffer<int8_t> input_s8(bytes.size());
  AlignedBuffer<float> input_f32(bytes.size());
  std::copy(bytes.begin(), bytes.end(), input_s8.data());
  std::copy(bytes.begin(), bytes.end(), input_f32.data());
  AlignedBuffer<uint16_t> input_f16(bytes.size());
  std::transform(bytes.begin(), bytes.end(), input_f16.data(), ToFloat16);
  EpilogueTester epilogue(AllOutputs(), out, pixels, seed + 2);
  ForEachIsa([&](const KernelSet& kernels) {
    SCOPED_TRACE(std::to_string(in) + "->" + std::to_string(out) + ", pixels " + std::to_string(pixels));
    AlignedBuffer<std::byte> scratch(
        kernels.pointwise_block_scratch(range.channel_end - range.channel_begin));
    for (int kind = 0; kind < 3; ++kind) {
      epilogue.Reset();
      PointwiseBlockArgs args{.weights = &weights,
                              .input_s8 = kind == 0 ? input_s8.data() : nullptr,
                              .input_f32 = kind == 1 ? input_f32.data() : nullptr,
                              .input_f16 = kind == 2 ? input_f16.data() : nullptr,
                              .pixels = pixels,
                              .epilogue = epilogue.epilogue()};
      kernels.pointwise_block(args, range, scratch.data());
      epilogue.Expect(sums, range, true);
      if (kernels.pointwise_registers != nullptr && kind == 0) {
        const RegisterTableWeights registers(in, out, weight.data());
        AlignedBuffer<std::byte> register_scratch(
            kernels.pointwise_registers_scratch(range.channel_end - range.channel_begin));
        args.registers = &registers;
        epilogue.Reset();
        kernels.pointwise_registers(args, range, register_scratch.data());
        epilogue.Expect(sums, range, true);
      }
      if (kernels.pointwise_tiles == nullptr) continue;
      const TileWeights tiles(in, out, weight.data(),
                              kind == 0 ? TileElement::kInt8 : TileElement::kBfloat16);
      AlignedBuffer<std::byte> tile_scratch(kernels.pointwise_tiles_scratch(tiles));
      args.tiles = &tiles;
      epilogue.Reset();
      kernels.pointwise_tiles(args, range, tile_scratch.data());
      epilogue.Expect(sums, range, true);
    }
  });
}

void Check(int in, int out, int64_t pixels, int extreme = 0) {
  Check(in, out, pixels, {0, BlocksOf(pixels), 0, out}, extreme);
}

TEST(PointwiseBlockTest, AnyNumberOfChannels) {
  for (int in : {1, 3, 4, 5, 31, 32, 33, 127, 128, 129, 255, 256, 257, 512, 600, 1030}) Check(in, 3, 70);
  for (int out : {1, 2, 9, 32, 33, 65, 130, 170, 200, 256, 300}) Check(20, out, 70);
}

TEST(PointwiseBlockTest, AnyNumberOfPixels) {
  for (int64_t pixels : {1, 7, 8, 9, 15, 16, 31, 32, 33, 511, 512, 513, 1100}) Check(37, 3, pixels);
}

TEST(PointwiseBlockTest, LargestSumsDoNotOverflow) {
  for (int in : {256, 257, 258, 259, 1024}) {
    for (int extreme : {127, -127}) Check(in, 2, 40, extreme);
  }
}

TEST(PointwiseBlockTest, SumsOfRealNumbersAreThoseOfFloat32) {
  // Values of very different sizes: 24 bits of each count.
  constexpr int kIn = 300, kOut = 5, kPixels = 530;
  std::vector<float> values = RandomFloats(kIn * kPixels, 11);
  for (size_t i = 0; i < values.size(); ++i) values[i] = std::ldexp(values[i], static_cast<int>(i % 31) - 15);
  const std::vector<uint64_t> weight = RandomBits(kOut, kIn, 12);
  const SumTableWeights tables(kIn, kOut, weight.data());
  const TileWeights tiles(kIn, kOut, weight.data(), TileElement::kBfloat16);
  AlignedBuffer<float> input(values.size());
  std::copy(values.begin(), values.end(), input.data());
  std::vector<uint16_t> halves(values.size());
  std::transform(values.begin(), values.end(), halves.begin(), ToFloat16);
  std::vector<float> rounded(values.size());
  std::transform(halves.begin(), halves.end(), rounded.begin(), FromFloat16);
  const std::vector<float> scale(kOut, 1.0f);
  const auto expect = [&](const std::vector<float>& found, const std::vector<float>& of) {
    for (int o = 0; o < kOut; ++o) {
      for (int p = 0; p < kPixels; ++p) {
        double sum = 0, magnitude = 0;
        for (int i = 0; i < kIn; ++i) {
          const double x = of[i * kPixels + p];
          sum += weight[static_cast<size_t>(o) * WordsFor(kIn) + i / 64] >> (i % 64) & 1 ? x : -x;
          magnitude += std::fabs(x);
        }
        ASSERT_NEAR(found[o * kPixels + p], sum, 1e-6 * magnitude) << o << " " << p;
      }
    }
  };
  ForEachIsa([&](const KernelSet& kernels) {
    std::vector<float> output(kOut * kPixels);
    PointwiseBlockArgs args{.weights = &tables, .tiles = &tiles, .pixels = kPixels};
    args.epilogue.scale = scale.data();
    args.epilogue.stream = {output.data(), StreamType::kFloat32, kPixels};
    const BlockRange all{0, BlocksOf(kPixels), 0, kOut};
    AlignedBuffer<std::byte> scratch(kernels.pointwise_block_scratch(kOut));
    for (bool half : {false, true}) {
      args.input_f32 = half ? nullptr : input.data();
      args.input_f16 = half ? halves.data() : nullptr;
      kernels.pointwise_block(args, all, scratch.data());
      expect(output, half ? rounded : values);
      if (kernels.pointwise_tiles == nullptr) continue;
      AlignedBuffer<std::byte> tile_scratch(kernels.pointwise_tiles_scratch(tiles));
      kernels.pointwise_tiles(args, all, tile_scratch.data());
      expect(output, half ? rounded : values);
    }
  });
}

TEST(PointwiseBlockTest, WritesOnlyTheRangeAskedFor) {
  for (const BlockRange& range : {BlockRange{0, 1, 0, 6}, BlockRange{1, 3, 2, 5}, BlockRange{2, 3, 5, 6}}) {
    Check(40, 6, 1300, range);
    Check(300, 6, 1300, range);
  }
  Check(40, 150, 600, {0, 2, 37, 141});
}

}  // namespace
}  // namespace bdc
