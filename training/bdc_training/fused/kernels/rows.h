// What all kernels share. They run as one pass over memory each what PyTorch runs as many. Images are float32
// with channels last: `rows` pixels of `channels` values; per-channel parameters are vectors of `channels`.
// What goes into or comes out of a convolution may be bfloat16, which an argument `bfloat16` says. Gradients
// of parameters are summed in float within a block of rows and in double over blocks, so they don't depend on
// the number of threads by more than rounding.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

namespace bdc_training {

constexpr int64_t kBlockRows = 128;

struct BFloat16 {
  uint16_t bits;
};

inline float Value(float value) { return value; }

inline float Value(BFloat16 value) {
  const uint32_t bits = static_cast<uint32_t>(value.bits) << 16;
  float result;
  std::memcpy(&result, &bits, sizeof result);
  return result;
}

inline void Set(float& to, float value) { to = value; }

// To the nearest, ties to even.
inline void Set(BFloat16& to, float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  to.bits = static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

// body(a value of the type that `bfloat16` says).
template <typename Body>
void WithType(int64_t bfloat16, Body body) {
  if (bfloat16) {
    body(BFloat16());
  } else {
    body(float());
  }
}

// Calls body(first row, last row, sums) for blocks of rows, where sums is `quantities` float vectors of
// `channels` zeroed before each block, and adds them up in `totals` ([quantities][channels], double).
template <typename Body>
void ForBlocks(int64_t rows, int64_t channels, int quantities, int threads, double* totals, Body body) {
  const int64_t blocks = (rows + kBlockRows - 1) / kBlockRows;
  const int64_t size = quantities * channels;
#pragma omp parallel num_threads(threads)
  {
    std::vector<float> sums(size);
    std::vector<double> mine(size, 0.0);
#pragma omp for schedule(static)
    for (int64_t block = 0; block < blocks; ++block) {
      std::fill(sums.begin(), sums.end(), 0.0f);
      body(block * kBlockRows, std::min(rows, (block + 1) * kBlockRows), sums.data());
      for (int64_t i = 0; i < size; ++i) mine[i] += sums[i];
    }
#pragma omp critical
    for (int64_t i = 0; i < size; ++i) totals[i] += mine[i];
  }
}

}  // namespace bdc_training
