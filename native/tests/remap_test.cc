#include "images/remap.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace bdc {
namespace {

/// Grey 3 × 2: 0 40 80 / 100 140 180, the same in all channels but for blue, which is 7.
const std::vector<uint8_t> kPixels = {0, 0, 7, 40, 40, 7, 80, 80, 7, 100, 100, 7, 140, 140, 7, 180, 180, 7};

std::vector<int> Sampled(const std::vector<float>& at) {
  std::vector<uint8_t> rgb(at.size() / 2 * 3);
  Remap({kPixels.data(), 3, 2}, at.data(), at.size() / 2, {1, 2, 3}, rgb.data());
  return {rgb.begin(), rgb.end()};
}

TEST(Remap, TakesPixelsAtTheirCentres) {
  EXPECT_EQ(Sampled({0, 0, 2, 0, 1, 1}), (std::vector<int>{0, 0, 7, 80, 80, 7, 140, 140, 7}));
}

TEST(Remap, WeighsTheFourNearest) {
  // 40 · ¼ + 0 · ¾ above, 140 · ¼ + 100 · ¾ below, half of each
  EXPECT_EQ(Sampled({0.25f, 0.5f}), (std::vector<int>{60, 60, 7}));
}

TEST(Remap, StaysOnTheBorderBeyondIt) {
  EXPECT_EQ(Sampled({-0.5f, 0, 2.5f, 1.5f, 1e9f, -1e9f}),
            (std::vector<int>{0, 0, 7, 180, 180, 7, 80, 80, 7}));
}

TEST(Remap, FillsWhatHasNoPlace) {
  const float nan = std::nanf(""), infinite = std::numeric_limits<float>::infinity();
  EXPECT_EQ(Sampled({nan, 0, 1, infinite}), (std::vector<int>{1, 2, 3, 1, 2, 3}));
}

}  // namespace
}  // namespace bdc
