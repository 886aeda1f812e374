// Plain loops that compilers turn into vectors of the instruction set each including file is compiled for;
// internal linkage on purpose.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#include "kernels/planes.h"
#include "kernels/vector-math.h"

namespace bdc {
namespace {

#if defined(__AVX512F__)
constexpr int kVectorBytes = 64;
#elif defined(__AVX2__)
constexpr int kVectorBytes = 32;
#else
constexpr int kVectorBytes = 16;
#endif
/// A vector of the instruction set: of a wider one GCC keeps the parts in memory.
typedef float Lanes __attribute__((vector_size(kVectorBytes)));
typedef int32_t IntLanes __attribute__((vector_size(kVectorBytes)));
typedef uint32_t BitLanes __attribute__((vector_size(kVectorBytes)));
constexpr int kLanes = kVectorBytes / sizeof(float);
typedef uint8_t ByteLanes __attribute__((vector_size(kLanes)));

inline Lanes LoadLanes(const float* from) {
  Lanes x;
  std::memcpy(&x, from, sizeof x);
  return x;
}

inline void StoreLanes(Lanes x, float* to) { std::memcpy(to, &x, sizeof x); }

constexpr auto kEachLane = std::make_index_sequence<kLanes>();

/// {a0, b0, a1, b1, …}
template <size_t... kLane>
inline void StoreAlternately(Lanes a, Lanes b, float* to, std::index_sequence<kLane...>) {
  constexpr int kHalf = kLanes / 2;
  StoreLanes(__builtin_shufflevector(a, b, (kLane / 2 + kLane % 2 * kLanes)...), to);
  StoreLanes(__builtin_shufflevector(a, b, (kHalf + kLane / 2 + kLane % 2 * kLanes)...), to + kLanes);
}

/// Of two vectors' worth of values, every second one from number `kFirst` on.
template <int kFirst, size_t... kLane>
inline Lanes EverySecond(const float* from, std::index_sequence<kLane...>) {
  return __builtin_shufflevector(LoadLanes(from), LoadLanes(from + kLanes), (2 * kLane + kFirst)...);
}

/// Calls `make(i, step)` for the values from i on, kStep of them, until all `count` are made; where the last
/// ones are fewer than a step, some are made twice. `make` must not write what it reads.
template <int kStep, typename Make>
inline void ForEachStep(int count, const Make& make) {
  if constexpr (kStep > 1) {
    if (count < kStep) return ForEachStep<kStep / 2>(count, make);
  }
  int i = 0;
  for (; i + kStep <= count; i += kStep) make(i, std::integral_constant<int, kStep>());
  if (i < count) make(count - kStep, std::integral_constant<int, kStep>());
}

void RPReLULoop(float* y, int64_t count, float bias_in, float slope, float bias_out) {
  for (int64_t i = 0; i < count; ++i) {
    const float t = y[i] + bias_in;
    y[i] = (t > 0 ? t : slope * t) + bias_out;
  }
}

void PReLULoop(float* y, int64_t count, float slope) {
  for (int64_t i = 0; i < count; ++i) y[i] = y[i] > 0 ? y[i] : slope * y[i];
}

/// log(1 + eˣ) = max(x, 0) + log(1 + e^−|x|): neither overflows nor cancels.
void SoftplusLoop(const float* x, int64_t count, float* y) {
  for (int64_t i = 0; i < count; ++i) {
    y[i] = (x[i] < 0 ? 0.0f : x[i]) + FastLog1p(FastExpUpTo87(-std::fabs(x[i])));
  }
}

void AverageSquaresLoop(const float* a, const float* b, int count, float* y) {
  ForEachStep<kLanes>(count, [=](int first, auto step) {
    const float *p = a + 2 * first, *q = b + 2 * first;
    if constexpr (step == kLanes) {
      const Lanes sum =
          ((EverySecond<0>(p, kEachLane) + EverySecond<1>(p, kEachLane)) + EverySecond<0>(q, kEachLane)) +
          EverySecond<1>(q, kEachLane);
      StoreLanes(sum / 4.0f, y + first);
    } else {
      for (int i = 0; i < step; ++i) {
        y[first + i] = (((p[2 * i] + p[2 * i + 1]) + q[2 * i]) + q[2 * i + 1]) / 4.0f;
      }
    }
  });
}

void BlendLoop(const float* a, const float* b, float weight, int count, float* y) {
  ForEachStep<kLanes>(count, [=](int first, auto step) {
    if constexpr (step == kLanes) {
      StoreLanes((1 - weight) * LoadLanes(a + first) + weight * LoadLanes(b + first), y + first);
    } else {
      for (int i = first; i < first + step; ++i) y[i] = (1 - weight) * a[i] + weight * b[i];
    }
  });
}

void StretchTwiceLoop(const float* x, int count, float* y) {
  y[0] = x[0];
  ForEachStep<kLanes>(count - 1, [=](int first, auto step) {
    if constexpr (step == kLanes) {
      const Lanes left = LoadLanes(x + first), right = LoadLanes(x + first + 1);
      StoreAlternately(0.75f * left + 0.25f * right, 0.25f * left + 0.75f * right, y + 2 * first + 1,
                       kEachLane);
    } else {
      for (int i = first; i < first + step; ++i) {
        y[2 * i + 1] = 0.75f * x[i] + 0.25f * x[i + 1];
        y[2 * i + 2] = 0.25f * x[i] + 0.75f * x[i + 1];
      }
    }
  });
  y[2 * count - 1] = 0.75f * x[count - 1] + 0.25f * x[count - 1];
}

void EverySecondLoop(const void* x, int count, void* y) {
  const auto* from = static_cast<const uint32_t*>(x);
  auto* to = static_cast<uint32_t*>(y);
  for (int i = 0; i < count; ++i) to[i] = from[2 * i];
}

/// Of kVectors · kLanes neighbours, or of the first `count` ≤ kLanes of one vector.
template <int kVectors>
inline void ArgmaxVectors(const float* logits, int64_t plane, int classes, int count, uint8_t* labels,
                          float* confidence) {
  const auto value_of = [&](int k, int v) {
    const float* from = logits + k * plane + v * kLanes;
    if (kVectors > 1 || count == kLanes) return LoadLanes(from);
    Lanes x = {};
    std::memcpy(&x, from, count * sizeof(float));
    return x;
  };
  Lanes largest[kVectors], sum[kVectors] = {};
  IntLanes label[kVectors] = {}, index = {};
  for (int v = 0; v < kVectors; ++v) largest[v] = value_of(0, v);
  for (int k = 1; k < classes; ++k) {
    index += 1;
    for (int v = 0; v < kVectors; ++v) {
      const Lanes value = value_of(k, v);
      const IntLanes larger = value > largest[v];
      label[v] = larger ? index : label[v];
      largest[v] = larger ? value : largest[v];
    }
  }
  for (int k = 0; k < classes; ++k) {
    for (int v = 0; v < kVectors; ++v) sum[v] += FastExpUpTo87<Lanes, BitLanes>(value_of(k, v) - largest[v]);
  }
  for (int v = 0; v < kVectors; ++v) {
    const auto bytes = __builtin_convertvector(label[v], ByteLanes);
    const Lanes inverse = 1.0f / sum[v];
    const int part = kVectors > 1 ? kLanes : count;
    std::memcpy(labels + v * kLanes, &bytes, part);
    std::memcpy(confidence + v * kLanes, &inverse, part * sizeof(float));
  }
}

void ArgmaxLoop(const float* logits, int64_t plane, int classes, int count, uint8_t* labels,
                float* confidence) {
  // As many as have room in the registers of all instruction sets.
  constexpr int kVectors = 2;
  int i = 0;
  for (; i + kVectors * kLanes <= count; i += kVectors * kLanes) {
    ArgmaxVectors<kVectors>(logits + i, plane, classes, 0, labels + i, confidence + i);
  }
  for (; i < count; i += kLanes) {
    ArgmaxVectors<1>(logits + i, plane, classes, std::min(kLanes, count - i), labels + i, confidence + i);
  }
}

void SoftmaxLoop(const float* x, int64_t plane, int channels, int count, float* y) {
  float largest[kSoftmaxBlock], sum[kSoftmaxBlock] = {};
  std::copy_n(x, count, largest);
  for (int c = 1; c < channels; ++c) {
    const float* row = x + c * plane;
    for (int i = 0; i < count; ++i) largest[i] = largest[i] < row[i] ? row[i] : largest[i];
  }
  for (int c = 0; c < channels; ++c) {
    const float* row = x + c * plane;
    float* to = y + c * plane;
    for (int i = 0; i < count; ++i) {
      const float e = FastExpUpTo87(row[i] - largest[i]);
      to[i] = e;
      sum[i] += e;
    }
  }
  for (int i = 0; i < count; ++i) sum[i] = 1.0f / sum[i];
  for (int c = 0; c < channels; ++c) {
    float* to = y + c * plane;
    for (int i = 0; i < count; ++i) to[i] *= sum[i];
  }
}

/// Calls `add(depth, features)` for each point whose camera has an image.
template <typename Add>
inline void ForEachSplatPoint(const SplatArgs& args, const SplatPoint* begin, const SplatPoint* end,
                              const Add& add) {
  for (const SplatPoint* point = begin; point != end; ++point) {
    const int64_t image = args.image_of[point->camera];
    if (image < 0) continue;
    add(args.depth[image * args.depth_image + point->depth * args.pixels + point->pixel],
        args.features + (image * args.pixels + point->pixel) * args.channels);
  }
}

void MultiplyLoop(const float* weight, const float* x, int count, float* y) {
  constexpr int kVectors = kColumnBlock / kLanes;
  Lanes sums[kVectors];
  std::memcpy(sums, y, sizeof sums);
  for (int i = 0; i < count; ++i, weight += kColumnBlock) {
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) sums[v] += x[i] * LoadLanes(weight + v * kLanes);
  }
  std::memcpy(y, sums, sizeof sums);
}

void AddSignedLoop(const uint32_t* negative, const float* x, int count, float* y) {
  constexpr int kVectors = kColumnBlock / kLanes;
  IntLanes to_sign[kVectors];  // shifts that bring a lane's bit to the top
  for (int o = 0; o < kColumnBlock; ++o) to_sign[o / kLanes][o % kLanes] = 31 - o % 32;
  Lanes sums[kVectors];
  std::memcpy(sums, y, sizeof sums);
  for (int i = 0; i < count; ++i, negative += kColumnBlock / 32) {
    const IntLanes bits = std::bit_cast<IntLanes>(Lanes{} + x[i]);
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) {
      const auto word = static_cast<int32_t>(negative[v * kLanes / 32]);
      const IntLanes sign = ((IntLanes{} + word) << to_sign[v]) & std::numeric_limits<int32_t>::min();
      sums[v] += std::bit_cast<Lanes>(bits ^ sign);
    }
  }
  std::memcpy(y, sums, sizeof sums);
}

void SigmoidLoop(const float* x, int64_t count, float* y) {
  for (int64_t i = 0; i < count; ++i) y[i] = 1.0f / (1.0f + FastExp(-x[i]));
}

/// Channels [first, first + kVectors · kLanes) and as many more as there are whole; returns where it
/// stopped.
template <int kVectors>
inline int SplatChannels(const SplatArgs& args, const SplatPoint* begin, const SplatPoint* end, int first,
                         float* sums) {
  constexpr int kChannels = kVectors * kLanes;
  for (; first + kChannels <= args.channels; first += kChannels) {
    Lanes parts[kVectors] = {};
    ForEachSplatPoint(args, begin, end, [&](float depth, const float* features) {
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) {
        parts[v] += depth * LoadLanes(features + first + v * kLanes);
      }
    });
    std::memcpy(sums + first, parts, sizeof parts);
  }
  return first;
}

void SplatLoop(const SplatArgs& args, const SplatPoint* begin, const SplatPoint* end, float* sums) {
  // As many channels at once as registers hold, for the points to be read once.
  int first = SplatChannels<8>(args, begin, end, 0, sums);
  first = SplatChannels<4>(args, begin, end, first, sums);
  first = SplatChannels<2>(args, begin, end, first, sums);
  first = SplatChannels<1>(args, begin, end, first, sums);
  if (first == args.channels) return;
  const int count = args.channels - first;
  float part[kLanes] = {};
  ForEachSplatPoint(args, begin, end, [&](float depth, const float* features) {
    for (int c = 0; c < count; ++c) part[c] += depth * features[first + c];
  });
  std::copy_n(part, count, sums + first);
}

float BlendDifferenceLoop(const float* const taps[4], const float weights[4], const float* current,
                          int count) {
  // As many sums as the widest vectors have lanes, in a fixed order.
  constexpr int kSums = 16;
  const float* a = taps[0];
  const float* b = taps[1];
  const float* c = taps[2];
  const float* d = taps[3];
  const auto difference = [&](int i) {
    const float blended = ((weights[0] * a[i] + weights[1] * b[i]) + weights[2] * c[i]) + weights[3] * d[i];
    return std::fabs(current[i] - blended);
  };
  float sums[kSums] = {};
  int i = 0;
  for (; i + kSums <= count; i += kSums) {
    for (int lane = 0; lane < kSums; ++lane) sums[lane] += difference(i + lane);
  }
  float sum = 0;
  for (; i < count; ++i) sum += difference(i);
  for (float part : sums) sum += part;
  return sum;
}

inline int32_t Quad(int32_t a, int32_t b, int32_t c, int32_t d) {
  return (a & 0xff) | (b & 0xff) << 8 | (c & 0xff) << 16 | d << 24;
}

void QuadsFromInt8Loop(const int8_t* const planes[4], int64_t count, int32_t* quads) {
  const int8_t *a = planes[0], *b = planes[1], *c = planes[2], *d = planes[3];
  for (int64_t i = 0; i < count; ++i) quads[i] = Quad(a[i], b[i], c[i], d[i]);
}

inline int32_t Pair(int32_t a, int32_t b) { return (a & 0xffff) | b << 16; }

void PairsFromInt8Loop(const int8_t* const planes[2], int64_t count, int32_t* pairs) {
  const int8_t *a = planes[0], *b = planes[1];
  for (int64_t i = 0; i < count; ++i) pairs[i] = Pair(a[i], b[i]);
}

/// A whole number whose low 16 bits are the rounded value: the last bit of a float between 2²³ and 2²⁴
/// counts 1.
inline int32_t Rounded(float x) {
  const float above = x > -127.0f ? x : -127.0f;  // NaN too
  return std::bit_cast<int32_t>((above < 127.0f ? above : 127.0f) + 0x1.8p23f);
}

void QuadsFromFloatLoop(const float* const planes[4], float factor, int64_t count, int32_t* quads) {
  const float *a = planes[0], *b = planes[1], *c = planes[2], *d = planes[3];
  for (int64_t i = 0; i < count; ++i) {
    quads[i] =
        Quad(Rounded(a[i] * factor), Rounded(b[i] * factor), Rounded(c[i] * factor), Rounded(d[i] * factor));
  }
}

void PairsFromFloatLoop(const float* const planes[2], float factor, int64_t count, int32_t* pairs) {
  const float *a = planes[0], *b = planes[1];
  for (int64_t i = 0; i < count; ++i) pairs[i] = Pair(Rounded(a[i] * factor), Rounded(b[i] * factor));
}

template <typename Float>
void WidenLoop(const uint16_t* x, int64_t count, float* y) {
  int64_t i = 0;
  for (; i + Float::kLanes <= count; i += Float::kLanes) Float::Store(y + i, Float::LoadHalf(x + i));
  if (i == count) return;
  uint16_t last[Float::kLanes] = {};
  std::copy(x + i, x + count, last);
  float wide[Float::kLanes];
  Float::Store(wide, Float::LoadHalf(last));
  std::copy_n(wide, count - i, y + i);
}

template <typename Float>
void NarrowLoop(const float* x, int64_t count, uint16_t* y) {
  int64_t i = 0;
  for (; i + Float::kLanes <= count; i += Float::kLanes) Float::StoreHalf(y + i, Float::Load(x + i));
  if (i == count) return;
  float last[Float::kLanes] = {};
  std::copy(x + i, x + count, last);
  uint16_t narrow[Float::kLanes];
  Float::StoreHalf(narrow, Float::Load(last));
  std::copy_n(narrow, count - i, y + i);
}

/// `from_f32` of kPlanes planes of float16.
template <typename Float, int kPlanes, auto from_f32>
void FromHalfLoop(const uint16_t* const planes[kPlanes], float factor, int64_t count, int32_t* words) {
  constexpr int kPart = 64;
  float values[kPlanes][kPart];
  const float* rows[kPlanes];
  for (int j = 0; j < kPlanes; ++j) rows[j] = values[j];
  for (int64_t at = 0; at < count; at += kPart) {
    const int part = static_cast<int>(std::min<int64_t>(kPart, count - at));
    for (int j = 0; j < kPlanes; ++j) WidenLoop<Float>(planes[j] + at, part, values[j]);
    from_f32(rows, factor, part, words + at);
  }
}

/// `Float`: one of the float-*.h.
template <typename Float>
constexpr PlaneKernels kPlaneLoops = {RPReLULoop,
                                      PReLULoop,
                                      SoftplusLoop,
                                      AverageSquaresLoop,
                                      BlendLoop,
                                      StretchTwiceLoop,
                                      EverySecondLoop,
                                      ArgmaxLoop,
                                      SoftmaxLoop,
                                      MultiplyLoop,
                                      AddSignedLoop,
                                      SigmoidLoop,
                                      SplatLoop,
                                      BlendDifferenceLoop,
                                      WidenLoop<Float>,
                                      NarrowLoop<Float>,
                                      QuadsFromInt8Loop,
                                      PairsFromInt8Loop,
                                      QuadsFromFloatLoop,
                                      PairsFromFloatLoop,
                                      FromHalfLoop<Float, 4, QuadsFromFloatLoop>,
                                      FromHalfLoop<Float, 2, PairsFromFloatLoop>};

}  // namespace
}  // namespace bdc
