// From the cameras' cells to a bird's-eye view.
#include "rows.h"

using namespace bdc_training;

extern "C" {

// Sums depth·context into the cells of a bird's-eye view: depth and cells [samples][pixels][bins], context
// [samples][pixels][channels], bev [samples][area][channels], zero before. A cell below 0 takes nothing.
void splat_forward(const float* depth, const float* context, const int32_t* cells, float* bev,
                   int64_t samples, int64_t pixels, int64_t bins, int64_t channels, int64_t area,
                   int threads) {
#pragma omp parallel for schedule(static) num_threads(threads)
  for (int64_t sample = 0; sample < samples; ++sample) {
    float* out = bev + sample * area * channels;
    for (int64_t pixel = sample * pixels; pixel < (sample + 1) * pixels; ++pixel) {
      const float* feature = context + pixel * channels;
      for (int64_t bin = pixel * bins; bin < (pixel + 1) * bins; ++bin) {
        if (cells[bin] < 0) continue;
        const float share = depth[bin];
        float* cell = out + cells[bin] * channels;
#pragma omp simd
        for (int64_t c = 0; c < channels; ++c) cell[c] += share * feature[c];
      }
    }
  }
}

// Gradients of both inputs; dcontext is zero before.
void splat_backward(const float* dbev, const float* depth, const float* context, const int32_t* cells,
                    float* ddepth, float* dcontext, int64_t samples, int64_t pixels, int64_t bins,
                    int64_t channels, int64_t area, int threads) {
#pragma omp parallel for schedule(static) num_threads(threads)
  for (int64_t pixel = 0; pixel < samples * pixels; ++pixel) {
    const float* up = dbev + pixel / pixels * area * channels;
    const float* feature = context + pixel * channels;
    float* dfeature = dcontext + pixel * channels;
    for (int64_t bin = pixel * bins; bin < (pixel + 1) * bins; ++bin) {
      ddepth[bin] = 0.0f;
      if (cells[bin] < 0) continue;
      const float* cell = up + cells[bin] * channels;
      const float share = depth[bin];
      float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
      for (int64_t c = 0; c < channels; ++c) {
        sum += cell[c] * feature[c];
        dfeature[c] += share * cell[c];
      }
      ddepth[bin] = sum;
    }
  }
}

}  // extern "C"
