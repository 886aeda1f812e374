#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace bdc {

/// How the bytes of a camera's raw image make colours.
enum class PixelLayout {
  kPacked,  // interleaved channels, one pixel after the other
  kYuv422,  // four bytes for two pixels: two of brightness, their common U and V
  kYuv420,  // a plane of brightness, then one of U and V at half the width and height
  kBayer8,  // one colour a pixel, in squares of four
};

/// A raw image as sensor_msgs/Image has it, 8 bits a channel. Width and height are even but for kPacked.
struct RawImage {
  const uint8_t* data;  // `rows · step` bytes: rows is height, for kYuv420 3/2 of it
  int width, height;    // pixels
  size_t step;          // bytes from row to row
  PixelLayout layout;
  int pixel_bytes;  // kPacked: bytes of a pixel
  /// Where in a pixel (kPacked: R, G, B), in four bytes (kYuv422: first Y, U, second Y, V), in two (kYuv420:
  /// U, V) or in a square of four (kBayer8: R, then B) they are.
  std::array<int, 4> at;
};

/// Width and height of the RGB image that `Unpack` makes: half of the mosaic's for kBayer8, else those of the
/// image.
std::array<int, 2> UnpackedSize(const RawImage& image);

/// RGB bytes `[height][width][3]`. YUV is BT.601 with the video range, as OpenCV and cv_bridge have it. Each
/// square of a Bayer mosaic is one pixel, its two greens averaged: the network's input is mostly smaller than
/// that.
void Unpack(const RawImage& image, uint8_t* rgb);

}  // namespace bdc
