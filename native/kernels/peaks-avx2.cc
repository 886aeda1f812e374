#include <immintrin.h>

#include "kernels/peaks.h"

namespace bdc {
namespace {

// The empty assembly hides from the compiler that an operand stays the same.
int64_t Binary(int64_t rounds) {
  constexpr int kSums = 4;
  const __m256i low = _mm256_set1_epi8(15);
  const __m256i counts = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2,
                                          3, 1, 2, 2, 3, 2, 3, 3, 4);
  __m256i sums[kSums] = {}, word = _mm256_set1_epi64x(rounds);
  for (int64_t round = 0; round < rounds; ++round) {
    for (int i = 0; i < kSums; ++i) {
      asm volatile("" : "+x"(word));
      const __m256i differing = _mm256_xor_si256(sums[i], word);
      const __m256i a = _mm256_and_si256(differing, low);
      const __m256i b = _mm256_and_si256(_mm256_srli_epi16(differing, 4), low);
      sums[i] = _mm256_add_epi8(sums[i], _mm256_shuffle_epi8(counts, a));
      sums[i] = _mm256_add_epi8(sums[i], _mm256_shuffle_epi8(counts, b));
    }
  }
  for (__m256i& sum : sums) asm volatile("" : "+x"(sum));
  return rounds * kSums * 256;
}

int64_t Real(int64_t rounds) {
  constexpr int kSums = 12;
  __m256 sums[kSums] = {}, a = _mm256_set1_ps(1e-9f);
  for (int64_t round = 0; round < rounds; ++round) {
    for (int i = 0; i < kSums; ++i) sums[i] = _mm256_fmadd_ps(a, a, sums[i]);
    for (__m256& sum : sums) asm volatile("" : "+x"(sum));
  }
  return rounds * kSums * 8;
}

constexpr PeakLoops kLoops = {Binary, Real};

}  // namespace

const PeakLoops kPeakLoopsAvx2 = kLoops;

}  // namespace bdc
