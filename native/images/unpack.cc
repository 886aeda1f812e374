#include "images/unpack.h"

#include <algorithm>

namespace bdc {
namespace {

/// Fixed point with 16 bits behind the point: exact to a hundredth of a grey level.
constexpr int kShift = 16;
constexpr int Fixed(double factor) {
  return static_cast<int>(factor * (1 << kShift) + (factor < 0 ? -0.5 : 0.5));
}

/// BT.601: brightness 16…235, colours 16…240 around 128.
constexpr int kLuma = Fixed(1.164383), kRedOfV = Fixed(1.596027), kGreenOfU = Fixed(-0.391762),
              kGreenOfV = Fixed(-0.812968), kBlueOfU = Fixed(2.017232), kHalf = 1 << (kShift - 1);

uint8_t ToByte(int fixed) { return static_cast<uint8_t>(std::clamp(fixed >> kShift, 0, 255)); }

void StoreYuv(int y, int u, int v, uint8_t* rgb) {
  const int luma = kLuma * (y - 16) + kHalf;
  rgb[0] = ToByte(luma + kRedOfV * (v - 128));
  rgb[1] = ToByte(luma + kGreenOfU * (u - 128) + kGreenOfV * (v - 128));
  rgb[2] = ToByte(luma + kBlueOfU * (u - 128));
}

void UnpackPacked(const RawImage& image, uint8_t* rgb) {
  const auto [red, green, blue, unused] = image.at;
  for (int y = 0; y < image.height; ++y) {
    const uint8_t* pixel = image.data + y * image.step;
    for (int x = 0; x < image.width; ++x, pixel += image.pixel_bytes, rgb += 3) {
      rgb[0] = pixel[red];
      rgb[1] = pixel[green];
      rgb[2] = pixel[blue];
    }
  }
}

void UnpackYuv422(const RawImage& image, uint8_t* rgb) {
  const auto [first, u, second, v] = image.at;
  for (int y = 0; y < image.height; ++y) {
    const uint8_t* pair = image.data + y * image.step;
    for (int x = 0; x < image.width; x += 2, pair += 4, rgb += 6) {
      StoreYuv(pair[first], pair[u], pair[v], rgb);
      StoreYuv(pair[second], pair[u], pair[v], rgb + 3);
    }
  }
}

void UnpackYuv420(const RawImage& image, uint8_t* rgb) {
  const uint8_t* colors = image.data + image.height * image.step;
  for (int y = 0; y < image.height; ++y) {
    const uint8_t* luma = image.data + y * image.step;
    const uint8_t* pair = colors + y / 2 * image.step;
    for (int x = 0; x < image.width; ++x, rgb += 3) {
      const uint8_t* color = pair + x / 2 * 2;
      StoreYuv(luma[x], color[image.at[0]], color[image.at[1]], rgb);
    }
  }
}

void UnpackBayer(const RawImage& image, uint8_t* rgb) {
  const int red = image.at[0], blue = image.at[1];
  const int green = red == 0 || red == 3 ? 1 : 0;  // and 3 − green
  for (int y = 0; y < image.height; y += 2) {
    const uint8_t* upper = image.data + y * image.step;
    const uint8_t* lower = upper + image.step;
    for (int x = 0; x < image.width; x += 2, rgb += 3) {
      const uint8_t square[] = {upper[x], upper[x + 1], lower[x], lower[x + 1]};
      rgb[0] = square[red];
      rgb[1] = static_cast<uint8_t>((square[green] + square[3 - green] + 1) >> 1);
      rgb[2] = square[blue];
    }
  }
}

}  // namespace

std::array<int, 2> UnpackedSize(const RawImage& image) {
  if (image.layout == PixelLayout::kBayer8) return {image.width / 2, image.height / 2};
  return {image.width, image.height};
}

void Unpack(const RawImage& image, uint8_t* rgb) {
  switch (image.layout) {
    case PixelLayout::kPacked:
      return UnpackPacked(image, rgb);
    case PixelLayout::kYuv422:
      return UnpackYuv422(image, rgb);
    case PixelLayout::kYuv420:
      return UnpackYuv420(image, rgb);
    case PixelLayout::kBayer8:
      return UnpackBayer(image, rgb);
  }
}

}  // namespace bdc
