// Batch norm's moments; the scale and the RPReLU behind it.
#include "rows.h"

using namespace bdc_training;

extern "C" {

// totals: [2][channels], sum and sum of squares of x − shift.
void moments(int64_t bfloat16, const void* x, const float* shift, double* totals, int64_t rows,
             int64_t channels, int threads) {
  WithType(bfloat16, [=](auto type) {
    ForBlocks(rows, channels, 2, threads, totals, [=](int64_t first, int64_t last, float* sums) {
      const float* from = shift;
      float* sum = sums;
      float* squares = sums + channels;
      for (int64_t row = first; row < last; ++row) {
        const auto* in = static_cast<const decltype(type)*>(x) + row * channels;
#pragma omp simd
        for (int64_t c = 0; c < channels; ++c) {
          const float value = Value(in[c]) - from[c];
          sum[c] += value;
          squares[c] += value * value;
        }
      }
    });
  });
}

// y = PReLU(a·x + d) + e with PReLU's slope per channel.
void scale_rprelu_forward(int64_t bfloat16, const void* x, const float* a, const float* d, const float* slope,
                          const float* e, float* y, int64_t rows, int64_t channels, int threads) {
  WithType(bfloat16, [=](auto type) {
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t row = 0; row < rows; ++row) {
      const auto* in = static_cast<const decltype(type)*>(x) + row * channels;
      float* out = y + row * channels;
      const float *gain = a, *offset = d, *below_zero = slope, *shift = e;
#pragma omp simd
      for (int64_t c = 0; c < channels; ++c) {
        const float u = gain[c] * Value(in[c]) + offset[c];
        // A sum that has u in it: std::max(u, 0) would make 0 of a NaN, and a diverged run would go on
        // unnoticed.
        out[c] = u + (below_zero[c] - 1.0f) * std::min(u, 0.0f) + shift[c];
      }
    }
  });
}

// Sums for the gradients of y = PReLU(a·x + d) + e: totals [4][channels] of dy, dy·min(u, 0), du and du·(x −
// mean).
void scale_rprelu_backward_sums(int64_t bfloat16, const float* dy, const void* x, const float* a,
                                const float* d, const float* slope, const float* mean, double* totals,
                                int64_t rows, int64_t channels, int threads) {
  WithType(bfloat16, [=](auto type) {
    ForBlocks(rows, channels, 4, threads, totals, [=](int64_t first, int64_t last, float* sums) {
      // Locals: of a capture the compiler must think that the stores change it, and gives up on vectors.
      const float *gain = a, *offset = d, *below_zero = slope, *center = mean;
      float* all = sums;
      float* below = sums + channels;
      float* through = sums + 2 * channels;
      float* centred = sums + 3 * channels;
      for (int64_t row = first; row < last; ++row) {
        const auto* in = static_cast<const decltype(type)*>(x) + row * channels;
        const float* up = dy + row * channels;
#pragma omp simd
        for (int64_t c = 0; c < channels; ++c) {
          const float u = gain[c] * Value(in[c]) + offset[c];
          const float du = u > 0.0f ? up[c] : below_zero[c] * up[c];
          all[c] += up[c];
          below[c] += up[c] * std::min(u, 0.0f);
          through[c] += du;
          centred[c] += du * (Value(in[c]) - center[c]);
        }
      }
    });
  });
}

// dx = a·(du − p − q·(x − mean)): batch norm's gradient with p the mean of du and q·(x − mean) its part along
// x; both 0 without a norm. dx is of x's type.
void scale_rprelu_backward(int64_t bfloat16, const float* dy, const void* x, const float* a, const float* d,
                           const float* slope, const float* mean, const float* p, const float* q, void* dx,
                           int64_t rows, int64_t channels, int threads) {
  WithType(bfloat16, [=](auto type) {
    using Type = decltype(type);
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t row = 0; row < rows; ++row) {
      const Type* in = static_cast<const Type*>(x) + row * channels;
      const float* up = dy + row * channels;
      Type* out = static_cast<Type*>(dx) + row * channels;
      const float *gain = a, *offset = d, *below_zero = slope, *center = mean, *mean_du = p, *along = q;
#pragma omp simd
      for (int64_t c = 0; c < channels; ++c) {
        const float u = gain[c] * Value(in[c]) + offset[c];
        const float du = u > 0.0f ? up[c] : below_zero[c] * up[c];
        Set(out[c], gain[c] * (du - mean_du[c] - along[c] * (Value(in[c]) - center[c])));
      }
    }
  });
}

}  // extern "C"
