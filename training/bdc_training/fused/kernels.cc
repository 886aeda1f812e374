// Training steps that PyTorch runs as many passes over memory, as one pass each. Images are float32 with
// channels last: `rows` pixels of `channels` values; per-channel parameters are vectors of `channels`. What goes
// into or comes out of a convolution may be bfloat16, which an argument `bfloat16` says.
// Gradients of parameters are summed in float within a block of rows and in double over blocks, so they don't
// depend on the number of threads by more than rounding.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

namespace {

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

// 1 − tanh²(z), by e^(−2|z|) so that nothing overflows.
inline float TanhSlope(float z) {
  const float e = std::exp(-2.0f * std::fabs(z));
  const float one_plus = 1.0f + e;
  return 4.0f * e / (one_plus * one_plus);
}

// e^x to 2 units in the last place, as a polynomial that compilers make vectors of; 0 below −87.
inline float Exp(float x) {
  const float bounded = std::max(x, -87.0f);
  const float whole = __builtin_rintf(bounded * 1.44269504f);
  const float rest = (bounded - whole * 0.693359375f) + whole * 2.12194440e-4f;
  float sum = 1.9875691500e-4f;
  sum = sum * rest + 1.3981999507e-3f;
  sum = sum * rest + 8.3334519073e-3f;
  sum = sum * rest + 4.1665795894e-2f;
  sum = sum * rest + 1.6666665459e-1f;
  sum = sum * rest + 5.0000001201e-1f;
  sum = sum * rest * rest + rest + 1.0f;
  const uint32_t bits = static_cast<uint32_t>(static_cast<int32_t>(whole) + 127) << 23;
  float power;
  std::memcpy(&power, &bits, sizeof power);
  return x < -87.0f ? 0.0f : sum * power;
}

constexpr int64_t kMostClasses = 64;

// Shares of `classes` logits, which add up to 1; returns the logarithm of the sum of their exponentials, NaN if a
// logit isn't finite: by its bits, as -ffinite-math-only takes comparisons away.
inline float Softmax(const float* logits, int64_t classes, float* shares) {
  float most = logits[0];
#pragma omp simd reduction(max : most)
  for (int64_t k = 0; k < classes; ++k) most = std::max(most, logits[k]);
  uint32_t invalid = 0;
#pragma omp simd reduction(| : invalid)
  for (int64_t k = 0; k < classes; ++k) {
    uint32_t bits;
    std::memcpy(&bits, logits + k, sizeof bits);
    invalid |= (bits & 0x7f800000) == 0x7f800000 ? 0x7fc00000 : 0;
  }
  if (invalid) {
    float nan;
    std::memcpy(&nan, &invalid, sizeof nan);
    std::fill(shares, shares + classes, nan);
    return nan;
  }
  float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
  for (int64_t k = 0; k < classes; ++k) {
    shares[k] = Exp(logits[k] - most);
    sum += shares[k];
  }
  const float scale = 1.0f / sum;
#pragma omp simd
  for (int64_t k = 0; k < classes; ++k) shares[k] *= scale;
  return most + std::log(sum);
}

// Where the logits of a sample's voxels lie, [pixels][heights][classes], and their labels, [heights][pixels].
struct Voxels {
  int64_t heights, classes, pixels;
  int64_t logits(int64_t pixel, int64_t z) const { return (pixel * heights + z) * classes; }
  int64_t label(int64_t pixel, int64_t z) const { return z * pixels + pixel; }
  int64_t logits() const { return heights * classes * pixels; }
  int64_t labels() const { return heights * pixels; }
};

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
void sign_backward(int64_t bfloat16, const void* dy, const float* x, const float* k, const float* b, float beta,
                   float* dx, double* totals, int64_t rows, int64_t channels, int threads) {
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
void weight_sign_backward(int64_t bfloat16, const void* dy, const float* w, float* dw, int64_t size, int threads) {
  WithType(bfloat16, [=](auto type) {
    const auto* up = static_cast<const decltype(type)*>(dy);
#pragma omp parallel for simd schedule(static) num_threads(threads)
    for (int64_t i = 0; i < size; ++i) dw[i] = std::fabs(w[i]) <= 1.0f ? Value(up[i]) : 0.0f;
  });
}

// totals: [2][channels], sum and sum of squares of x − shift.
void moments(int64_t bfloat16, const void* x, const float* shift, double* totals, int64_t rows, int64_t channels,
             int threads) {
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
        // A sum that has u in it: std::max(u, 0) would make 0 of a NaN, and a diverged run would go on unnoticed.
        out[c] = u + (below_zero[c] - 1.0f) * std::min(u, 0.0f) + shift[c];
      }
    }
  });
}

// Sums for the gradients of y = PReLU(a·x + d) + e: totals [4][channels] of dy, dy·min(u, 0), du and du·(x −
// mean).
void scale_rprelu_backward_sums(int64_t bfloat16, const float* dy, const void* x, const float* a, const float* d,
                                const float* slope, const float* mean, double* totals, int64_t rows,
                                int64_t channels, int threads) {
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

// Sums depth·context into the cells of a bird's-eye view: depth and cells [samples][pixels][bins], context
// [samples][pixels][channels], bev [samples][area][channels], zero before. A cell below 0 takes nothing.
void splat_forward(const float* depth, const float* context, const int32_t* cells, float* bev, int64_t samples,
                   int64_t pixels, int64_t bins, int64_t channels, int64_t area, int threads) {
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
void splat_backward(const float* dbev, const float* depth, const float* context, const int32_t* cells, float* ddepth,
                    float* dcontext, int64_t samples, int64_t pixels, int64_t bins, int64_t channels, int64_t area,
                    int threads) {
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

// Of the voxels whose label isn't `unseen`, totals [samples][3][classes]: sum of the shares (softmax), sum of the
// shares at the label, and weight at the label times its negative log share, all of the last by label.
void occupancy_sums_forward(const float* logits, const int64_t* labels, const float* weights, int64_t unseen,
                            double* totals, int64_t samples, int64_t heights, int64_t classes, int64_t pixels,
                            int threads) {
  const Voxels at{heights, classes, pixels};
  for (int64_t sample = 0; sample < samples; ++sample) {
    const float* in = logits + sample * at.logits();
    const int64_t* truth = labels + sample * at.labels();
    ForBlocks(pixels, classes, 3, threads, totals + sample * 3 * classes,
              [=](int64_t first, int64_t last, float* sums) {
                float shares[kMostClasses];
                for (int64_t pixel = first; pixel < last; ++pixel) {
                  for (int64_t z = 0; z < at.heights; ++z) {
                    const int64_t label = truth[at.label(pixel, z)];
                    if (label == unseen) continue;
                    const float* voxel = in + at.logits(pixel, z);
                    const float normaliser = Softmax(voxel, at.classes, shares);
                    for (int64_t k = 0; k < at.classes; ++k) sums[k] += shares[k];
                    sums[at.classes + label] += shares[label];
                    sums[2 * at.classes + label] += weights[label] * (normaliser - voxel[label]);
                  }
                }
              });
  }
}

// dlogits given the gradients [samples][3][classes] of the totals; 0 at unseen voxels.
void occupancy_sums_backward(const float* gradients, const float* logits, const int64_t* labels, const float* weights,
                             int64_t unseen, float* dlogits, int64_t samples, int64_t heights, int64_t classes,
                             int64_t pixels, int threads) {
  const Voxels at{heights, classes, pixels};
#pragma omp parallel for collapse(2) schedule(static) num_threads(threads)
  for (int64_t sample = 0; sample < samples; ++sample) {
    for (int64_t pixel = 0; pixel < pixels; ++pixel) {
      const float* of_share = gradients + sample * 3 * classes;
      const float* of_label = of_share + classes;
      const float* of_loss = of_label + classes;
      float shares[kMostClasses];
      for (int64_t z = 0; z < heights; ++z) {
        const int64_t label = labels[sample * at.labels() + at.label(pixel, z)];
        const int64_t offset = sample * at.logits() + at.logits(pixel, z);
        float* out = dlogits + offset;
        if (label == unseen) {
          std::fill(out, out + classes, 0.0f);
          continue;
        }
        Softmax(logits + offset, classes, shares);
        float mean = shares[label] * of_label[label];
#pragma omp simd reduction(+ : mean)
        for (int64_t k = 0; k < classes; ++k) mean += shares[k] * of_share[k];
        const float loss = weights[label] * of_loss[label];
#pragma omp simd
        for (int64_t k = 0; k < classes; ++k) out[k] = shares[k] * (of_share[k] - mean + loss);
        out[label] += shares[label] * of_label[label] - loss;
      }
    }
  }
}

// Of the voxels whose label isn't `unseen`, totals [2]: sums over voxels and classes of weight · taught share ·
// negative log share, and of weight · taught share.
void taught_sums_forward(const float* logits, const float* taught, const int64_t* labels, const float* weights,
                         int64_t unseen, double* totals, int64_t samples, int64_t heights, int64_t classes,
                         int64_t pixels, int threads) {
  const Voxels at{heights, classes, pixels};
  for (int64_t sample = 0; sample < samples; ++sample) {
    const int64_t offset = sample * at.logits();
    const int64_t* truth = labels + sample * at.labels();
    ForBlocks(pixels, 1, 2, threads, totals, [=](int64_t first, int64_t last, float* sums) {
      float shares[kMostClasses], teachers[kMostClasses];
      for (int64_t pixel = first; pixel < last; ++pixel) {
        for (int64_t z = 0; z < at.heights; ++z) {
          if (truth[at.label(pixel, z)] == unseen) continue;
          const float* voxel = logits + offset + at.logits(pixel, z);
          const float normaliser = Softmax(voxel, at.classes, shares);
          Softmax(taught + offset + at.logits(pixel, z), at.classes, teachers);
          float loss = 0.0f, weight = 0.0f;
#pragma omp simd reduction(+ : loss, weight)
          for (int64_t k = 0; k < at.classes; ++k) {
            const float share = weights[k] * teachers[k];
            loss += share * (normaliser - voxel[k]);
            weight += share;
          }
          sums[0] += loss;
          sums[1] += weight;
        }
      }
    });
  }
}

// dlogits given the gradient of the first total; 0 at unseen voxels.
void taught_sums_backward(float gradient, const float* logits, const float* taught, const int64_t* labels,
                          const float* weights, int64_t unseen, float* dlogits, int64_t samples, int64_t heights,
                          int64_t classes, int64_t pixels, int threads) {
  const Voxels at{heights, classes, pixels};
#pragma omp parallel for collapse(2) schedule(static) num_threads(threads)
  for (int64_t sample = 0; sample < samples; ++sample) {
    for (int64_t pixel = 0; pixel < pixels; ++pixel) {
      float shares[kMostClasses], teachers[kMostClasses];
      for (int64_t z = 0; z < heights; ++z) {
        const int64_t offset = sample * at.logits() + at.logits(pixel, z);
        float* out = dlogits + offset;
        if (labels[sample * at.labels() + at.label(pixel, z)] == unseen) {
          std::fill(out, out + classes, 0.0f);
          continue;
        }
        Softmax(logits + offset, classes, shares);
        Softmax(taught + offset, classes, teachers);
        float weight = 0.0f;
#pragma omp simd reduction(+ : weight)
        for (int64_t k = 0; k < classes; ++k) {
          teachers[k] *= weights[k];
          weight += teachers[k];
        }
#pragma omp simd
        for (int64_t k = 0; k < classes; ++k) out[k] = gradient * (weight * shares[k] - teachers[k]);
      }
    }
  }
}

}  // extern "C"
