// A channel gate before a residual.
#include "rows.h"

using namespace bdc_training;

extern "C" {

// y = x·gate + residual; gate [images][channels].
void gate_add_forward(const float* x, const float* gate, const float* residual, float* y, int64_t images,
                      int64_t pixels, int64_t channels, int threads) {
#pragma omp parallel for collapse(2) schedule(static) num_threads(threads)
  for (int64_t image = 0; image < images; ++image) {
    for (int64_t pixel = 0; pixel < pixels; ++pixel) {
      const int64_t at = (image * pixels + pixel) * channels;
      const float* scale = gate + image * channels;
#pragma omp simd
      for (int64_t c = 0; c < channels; ++c) y[at + c] = x[at + c] * scale[c] + residual[at + c];
    }
  }
}

// dx = dy·gate, and totals [images][channels] of dy·x.
void gate_add_backward(const float* dy, const float* x, const float* gate, float* dx, double* totals,
                       int64_t images, int64_t pixels, int64_t channels, int threads) {
  for (int64_t image = 0; image < images; ++image) {
    const int64_t offset = image * pixels * channels;
    const float* scale = gate + image * channels;
    ForBlocks(pixels, channels, 1, threads, totals + image * channels,
              [=](int64_t first, int64_t last, float* sums) {
                for (int64_t row = first; row < last; ++row) {
                  const int64_t at = offset + row * channels;
#pragma omp simd
                  for (int64_t c = 0; c < channels; ++c) {
                    dx[at + c] = dy[at + c] * scale[c];
                    sums[c] += dy[at + c] * x[at + c];
                  }
                }
              });
  }
}

}  // extern "C"
