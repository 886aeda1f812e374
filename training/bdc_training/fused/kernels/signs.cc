// Signs of activations and of weights, and the gradients that stand in for theirs.
#include "rows.h"

using namespace bdc_training;

namespace {

// 1 − tanh²(z), by e^(−2|z|) so that nothing overflows.
inline float TanhSlope(float z) {
  const float e = std::exp(-2.0f * std::fabs(z));
  const float one_plus = 1.0f + e;
  return 4.0f * e / (one_plus * one_plus);
}

}  // namespace

extern "C" {

// y = sign(k·x + b), sign(0) = +1.
void sign_forward(const float* x, const float* k, const float* b, int64_t bfloat16, void* y, int64_t rows,
                  int64_t channels, int threads) {
  WithType(bfloat16, [=](auto type) {
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t row = 0; row < rows; ++row) {
      const float* in = x + row * channels;
      auto* out = static_cast<decltype(type)*>(y) + row * channels;
      const float *scale = k, *bias = b;
#pragma omp simd
      for (int64_t c = 0; c < channels; ++c) Set(out[c], scale[c] * in[c] + bias[c] >= 0.0f ? 1.0f : -1.0f);
    }
  });
}

// Gradients of tanh(β·(k·x + b)) in x, k, b and β, given dy. totals: [3][channels] of k, b and z·slope, whose
// sum is that of β.
void sign_backward(int64_t bfloat16, const void* dy, const float* x, const float* k, const float* b,
                   float beta, float* dx, double* totals, int64_t rows, int64_t channels, int threads) {
  WithType(bfloat16, [=](auto type) {
    ForBlocks(rows, channels, 3, threads, totals, [=](int64_t first, int64_t last, float* sums) {
      const float *scale = k, *bias = b;
      float* dk = sums;
      float* db = sums + channels;
      float* dbeta = sums + 2 * channels;
      for (int64_t row = first; row < last; ++row) {
        const float* in = x + row * channels;
        const auto* up = static_cast<const decltype(type)*>(dy) + row * channels;
        float* out = dx + row * channels;
#pragma omp simd
        for (int64_t c = 0; c < channels; ++c) {
          const float z = scale[c] * in[c] + bias[c];
          const float slope = TanhSlope(beta * z) * Value(up[c]);
          const float dz = slope * beta;
          out[c] = dz * scale[c];
          dk[c] += dz * in[c];
          db[c] += dz;
          dbeta[c] += slope * z;
        }
      }
    });
  });
}

// y = sign(w) of `size` weights.
void weight_sign_forward(const float* w, int64_t bfloat16, void* y, int64_t size, int threads) {
  WithType(bfloat16, [=](auto type) {
    auto* out = static_cast<decltype(type)*>(y);
#pragma omp parallel for simd schedule(static) num_threads(threads)
    for (int64_t i = 0; i < size; ++i) Set(out[i], w[i] >= 0.0f ? 1.0f : -1.0f);
  });
}

// dw = dy where |w| ≤ 1, else 0: the gradient of clamp(w, −1, 1).
void weight_sign_backward(int64_t bfloat16, const void* dy, const float* w, float* dw, int64_t size,
                          int threads) {
  WithType(bfloat16, [=](auto type) {
    const auto* up = static_cast<const decltype(type)*>(dy);
#pragma omp parallel for simd schedule(static) num_threads(threads)
    for (int64_t i = 0; i < size; ++i) dw[i] = std::fabs(w[i]) <= 1.0f ? Value(up[i]) : 0.0f;
  });
}

}  // extern "C"
