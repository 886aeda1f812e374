#include "kernels/planes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "kernel_tester.h"
#include "kernels/float16.h"

namespace bdc {
namespace {

constexpr int kCounts[] = {1, 3, 8, 15, 16, 17, 64, 100, 131};

TEST(PlanesTest, Float16ThereAndBackOfAnyLength) {
  for (int count : kCounts) {
    std::vector<float> values = RandomFloats(count, count);
    // From below the smallest float16 to above the largest.
    for (int i = 0; i < count; ++i) values[i] = std::ldexp(values[i], i % 50 - 30);
    ForEachIsa([&](const KernelSet& kernels) {
      std::vector<uint16_t> halves(count + 1, 0xface);
      kernels.planes.narrow(values.data(), count, halves.data());
      std::vector<float> back(count + 1, -1.0f);
      kernels.planes.widen(halves.data(), count, back.data());
      for (int i = 0; i < count; ++i) {
        ASSERT_EQ(halves[i], ToFloat16(values[i])) << count << " " << i;
        ASSERT_EQ(back[i], FromFloat16(halves[i])) << count << " " << i;
      }
      ASSERT_EQ(halves[count], 0xface);
      ASSERT_EQ(back[count], -1.0f);
    });
  }
}

TEST(PlanesTest, WordsOfFloat16AreThoseOfTheSameFloats) {
  constexpr float kFactor = 37.0f;
  for (int count : kCounts) {
    std::vector<uint16_t> halves[4];
    std::vector<float> floats[4];
    const uint16_t* half_planes[4];
    const float* float_planes[4];
    for (int j = 0; j < 4; ++j) {
      for (float x : RandomFloats(count, 10 * count + j)) {
        halves[j].push_back(ToFloat16(4 * x));
        floats[j].push_back(FromFloat16(halves[j].back()));
      }
      half_planes[j] = halves[j].data();
      float_planes[j] = floats[j].data();
    }
    ForEachIsa([&](const KernelSet& kernels) {
      std::vector<int32_t> expected(count), found(count + 1, 77);
      kernels.planes.quads_from_f32(float_planes, kFactor, count, expected.data());
      kernels.planes.quads_from_f16(half_planes, kFactor, count, found.data());
      ASSERT_TRUE(std::equal(expected.begin(), expected.end(), found.begin())) << count;
      kernels.planes.pairs_from_f32(float_planes, kFactor, count, expected.data());
      kernels.planes.pairs_from_f16(half_planes, kFactor, count, found.data());
      ASSERT_TRUE(std::equal(expected.begin(), expected.end(), found.begin())) << count;
      ASSERT_EQ(found[count], 77);
    });
  }
}

TEST(PlanesTest, SignedSumsAreTheSameOnAllInstructionSets) {
  for (int count : kCounts) {
    const std::vector<float> x = RandomFloats(count, count), start = RandomFloats(kColumnBlock, count + 1);
    const std::vector<uint64_t> bits = RandomBits(count, kColumnBlock, count + 2);
    std::vector<uint32_t> negative;
    for (uint64_t word : bits) {
      negative.push_back(static_cast<uint32_t>(word));
      negative.push_back(static_cast<uint32_t>(word >> 32));
    }
    std::vector<float> expected = start;
    for (int i = 0; i < count; ++i) {
      for (int o = 0; o < kColumnBlock; ++o) expected[o] += bits[i] >> o & 1 ? -x[i] : x[i];
    }
    ForEachIsa([&](const KernelSet& kernels) {
      std::vector<float> found = start;
      kernels.planes.add_signed(negative.data(), x.data(), count, found.data());
      ASSERT_EQ(found, expected) << count;
    });
  }
}

TEST(PlanesTest, SigmoidIsTheSameOnAllInstructionSets) {
  std::vector<float> x = {0.0f, -100.0f, 100.0f, std::numeric_limits<float>::infinity(),
                          -std::numeric_limits<float>::infinity()};
  for (float value : RandomFloats(96, 1)) x.push_back(20 * value);
  std::vector<uint32_t> first;
  ForEachIsa([&](const KernelSet& kernels) {
    std::vector<float> y(x.size());
    kernels.planes.sigmoid(x.data(), static_cast<int64_t>(x.size()), y.data());
    std::vector<uint32_t> bits;
    for (size_t i = 0; i < x.size(); ++i) {
      ASSERT_NEAR(y[i], 1 / (1 + std::exp(-double{x[i]})), 5e-7) << x[i];
      bits.push_back(std::bit_cast<uint32_t>(y[i]));
    }
    if (first.empty()) first = bits;
    ASSERT_EQ(bits, first);
  });
}

}  // namespace
}  // namespace bdc
