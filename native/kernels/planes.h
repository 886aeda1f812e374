#pragma once

#include <cstdint>

namespace bdc {

/// Neighbours in x that argmax does together.
constexpr int kArgmaxBlock = 64;
/// Neighbours that softmax does together.
constexpr int kSoftmaxBlock = 64;

/// Outputs of a matrix that are computed together.
constexpr int kColumnBlock = 64;

/// A point that lift_splat drops into a BEV cell: bin `depth` of feature cell `pixel` (row · width + column).
struct SplatPoint {
  uint16_t camera, depth;
  uint32_t pixel;
};

/// One frame's inputs of lift_splat.
struct SplatArgs {
  const float* depth;       // [bins][pixels] of each image
  const float* features;    // [images][pixels][channels]
  const int16_t* image_of;  // [cameras]; −1: a camera without an image, whose points are left out
  int64_t depth_image;      // values from one image's depths to the next one's
  int64_t pixels;
  int channels;
};

/// Loops over the values of one channel plane, compiled for one instruction set. Each step is one IEEE
/// operation, so that all sets give the same bits.
struct PlaneKernels {
  /// t = y + bias_in; y = (t > 0 ? t : slope · t) + bias_out, in place.
  void (*rprelu)(float* y, int64_t count, float bias_in, float slope, float bias_out);
  /// y = y > 0 ? y : slope · y, in place.
  void (*prelu)(float* y, int64_t count, float slope);
  /// y = log(1 + eˣ)
  void (*softplus)(const float* x, int64_t count, float* y);
  /// y[i] = (((a[2i] + a[2i + 1]) + b[2i]) + b[2i + 1]) / 4, a and b being two rows
  void (*average_squares)(const float* a, const float* b, int count, float* y);
  /// y = (1 − weight) · a + weight · b
  void (*blend)(const float* a, const float* b, float weight, int count, float* y);
  /// Twice as wide: y[2i] = ¼ x[i − 1] + ¾ x[i], y[2i + 1] = ¾ x[i] + ¼ x[i + 1]; y[0] = x[0], and the last
  /// value is repeated.
  void (*stretch_twice)(const float* x, int count, float* y);
  /// y[i] = x[2i], of words of 32 bits. Reads x[0] … x[2 · count − 2].
  void (*every_second)(const void* x, int count, void* y);
  /// Of `count` ≤ kArgmaxBlock neighbours: the class of the largest logit (the lowest wins a tie) and its
  /// softmax probability. Classes are `plane` values apart.
  void (*argmax)(const float* logits, int64_t plane, int classes, int count, uint8_t* labels,
                 float* confidence);
  /// y = the softmax of x over channels, which are `plane` values apart in both, of `count` ≤ kSoftmaxBlock
  /// neighbours.
  void (*softmax)(const float* x, int64_t plane, int channels, int count, float* y);
  /// y[o] += Σ_i x[i] · weight[i][o] in the order of i < `count`, of kColumnBlock outputs.
  void (*multiply)(const float* weight, const float* x, int count, float* y);
  /// y[o] += Σ_i ±x[i] in the order of i < `count`, of kColumnBlock outputs: minus where bit o % 32 of
  /// negative[i][o / 32] is 1.
  void (*add_signed)(const uint32_t* negative, const float* x, int count, float* y);
  /// y = 1 / (1 + e⁻ˣ)
  void (*sigmoid)(const float* x, int64_t count, float* y);
  /// sums[c] = Σ depth · features[c] over the points [begin, end), in their order.
  void (*splat)(const SplatArgs& args, const SplatPoint* begin, const SplatPoint* end, float* sums);
  /// Σ |current[c] − (((w₀·a₀[c] + w₁·a₁[c]) + w₂·a₂[c]) + w₃·a₃[c])| over `count` channels, aᵢ being `taps`.
  float (*blend_difference)(const float* const taps[4], const float weights[4], const float* current,
                            int count);
  /// float16 to float32, and back with rounding to nearest even.
  void (*widen)(const uint16_t* x, int64_t count, float* y);
  void (*narrow)(const float* x, int64_t count, uint16_t* y);
  /// Quads and pairs of an int8 image (conv.h) from planes of int8 …
  void (*quads_from_s8)(const int8_t* const planes[4], int64_t count, int32_t* quads);
  void (*pairs_from_s8)(const int8_t* const planes[2], int64_t count, int32_t* pairs);
  /// … or of real values: clamp(round to nearest even(x · factor), ±127), −127 for NaN.
  void (*quads_from_f32)(const float* const planes[4], float factor, int64_t count, int32_t* quads);
  void (*pairs_from_f32)(const float* const planes[2], float factor, int64_t count, int32_t* pairs);
  void (*quads_from_f16)(const uint16_t* const planes[4], float factor, int64_t count, int32_t* quads);
  void (*pairs_from_f16)(const uint16_t* const planes[2], float factor, int64_t count, int32_t* pairs);
};

}  // namespace bdc
