#include "images/unpack.h"

#include <gtest/gtest.h>

#include <vector>

namespace bdc {
namespace {

std::vector<int> Unpacked(const RawImage& image) {
  const auto [width, height] = UnpackedSize(image);
  std::vector<uint8_t> rgb(static_cast<size_t>(width) * height * 3);
  Unpack(image, rgb.data());
  return {rgb.begin(), rgb.end()};
}

TEST(Unpack, TakesPackedChannelsFromWhereTheyAreAndSkipsPadding) {
  const std::vector<uint8_t> bgra = {3, 2, 1, 9, 6, 5, 4, 9, 99, 99, 13, 12, 11, 9, 16, 15, 14, 9, 99, 99};
  const RawImage image = {bgra.data(), 2, 2, 10, PixelLayout::kPacked, 4, {2, 1, 0}};
  EXPECT_EQ(Unpacked(image), (std::vector<int>{1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16}));
}

TEST(Unpack, ReadsYuv422AsBt601) {
  // black and white, then the red primary twice (BT.601-7: Y 81, U 90, V 240)
  const std::vector<uint8_t> uyvy = {128, 16, 128, 235, 90, 81, 240, 81};
  const RawImage image = {uyvy.data(), 2, 2, 4, PixelLayout::kYuv422, 2, {1, 0, 3, 2}};
  EXPECT_EQ(Unpacked(image), (std::vector<int>{0, 0, 0, 255, 255, 255, 254, 0, 0, 254, 0, 0}));
}

TEST(Unpack, SharesTheColoursOfYuv420AmongFourPixels) {
  const std::vector<uint8_t> nv21 = {81, 81, 0, 81, 81, 0, 240, 90, 0};
  const RawImage image = {nv21.data(), 2, 2, 3, PixelLayout::kYuv420, 1, {1, 0}};
  EXPECT_EQ(Unpacked(image), (std::vector<int>{254, 0, 0, 254, 0, 0, 254, 0, 0, 254, 0, 0}));
}

TEST(Unpack, MakesOnePixelOfEachBayerSquare) {
  const std::vector<uint8_t> grbg = {10, 200, 11, 201, 30, 13, 31, 16};
  const RawImage image = {grbg.data(), 4, 2, 4, PixelLayout::kBayer8, 1, {1, 2}};
  EXPECT_EQ(UnpackedSize(image), (std::array<int, 2>{2, 1}));
  EXPECT_EQ(Unpacked(image), (std::vector<int>{200, 12, 30, 201, 14, 31}));
}

}  // namespace
}  // namespace bdc
