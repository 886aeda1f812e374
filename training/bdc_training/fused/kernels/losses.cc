// Losses over voxels: of labels, and of a teacher.
#include "rows.h"

using namespace bdc_training;

namespace {

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

// Shares of `classes` logits, which add up to 1; returns the logarithm of the sum of their exponentials, NaN
// if a logit isn't finite: by its bits, as -ffinite-math-only takes comparisons away.
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

// Calls body(sample, label, where the voxel's logits are) for each voxel, whose label isn't `unseen`; the
// others' dlogits become 0.
template <typename Body>
void ForSeen(const Voxels& at, const int64_t* labels, int64_t unseen, float* dlogits, int64_t samples,
             int threads, Body body) {
#pragma omp parallel for collapse(2) schedule(static) num_threads(threads)
  for (int64_t sample = 0; sample < samples; ++sample) {
    for (int64_t pixel = 0; pixel < at.pixels; ++pixel) {
      for (int64_t z = 0; z < at.heights; ++z) {
        const int64_t label = labels[sample * at.labels() + at.label(pixel, z)];
        const int64_t offset = sample * at.logits() + at.logits(pixel, z);
        if (label == unseen) {
          std::fill(dlogits + offset, dlogits + offset + at.classes, 0.0f);
        } else {
          body(sample, label, offset);
        }
      }
    }
  }
}

}  // namespace

extern "C" {

// Of the voxels whose label isn't `unseen`, totals [samples][3][classes]: sum of the shares (softmax), sum of
// the shares at the label, and weight at the label times its negative log share, all of the last by label.
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
void occupancy_sums_backward(const float* gradients, const float* logits, const int64_t* labels,
                             const float* weights, int64_t unseen, float* dlogits, int64_t samples,
                             int64_t heights, int64_t classes, int64_t pixels, int threads) {
  const Voxels at{heights, classes, pixels};
  ForSeen(at, labels, unseen, dlogits, samples, threads, [=](int64_t sample, int64_t label, int64_t offset) {
    const float* of_share = gradients + sample * 3 * classes;
    const float* of_label = of_share + classes;
    const float* of_loss = of_label + classes;
    float* out = dlogits + offset;
    float shares[kMostClasses];
    Softmax(logits + offset, classes, shares);
    float mean = shares[label] * of_label[label];
#pragma omp simd reduction(+ : mean)
    for (int64_t k = 0; k < classes; ++k) mean += shares[k] * of_share[k];
    const float loss = weights[label] * of_loss[label];
#pragma omp simd
    for (int64_t k = 0; k < classes; ++k) out[k] = shares[k] * (of_share[k] - mean + loss);
    out[label] += shares[label] * of_label[label] - loss;
  });
}

// Of the voxels whose label isn't `unseen`, totals [2]: sums over voxels and classes of weight · taught share
// · negative log share, and of weight · taught share.
void taught_sums_forward(const float* logits, const float* taught, const int64_t* labels,
                         const float* weights, int64_t unseen, double* totals, int64_t samples,
                         int64_t heights, int64_t classes, int64_t pixels, int threads) {
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
                          const float* weights, int64_t unseen, float* dlogits, int64_t samples,
                          int64_t heights, int64_t classes, int64_t pixels, int threads) {
  const Voxels at{heights, classes, pixels};
  ForSeen(at, labels, unseen, dlogits, samples, threads, [=](int64_t, int64_t, int64_t offset) {
    float* out = dlogits + offset;
    float shares[kMostClasses], teachers[kMostClasses];
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
  });
}

}  // extern "C"
