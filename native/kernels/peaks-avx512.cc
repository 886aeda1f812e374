#include <immintrin.h>

#include "kernels/peaks.h"

namespace bdc {
namespace {

// The empty assembly hides from the compiler that an operand stays the same.
int64_t Binary(int64_t rounds) {
  constexpr int kSums = 8;
  __m512i sums[kSums] = {}, word = _mm512_set1_epi64(rounds);
  for (int64_t round = 0; round < rounds; ++round) {
    for (int i = 0; i < kSums; ++i) {
      asm volatile("" : "+v"(word));
      const __m512i differing = _mm512_xor_si512(sums[i], word);
      sums[i] = _mm512_add_epi64(sums[i], _mm512_popcnt_epi64(differing));
    }
  }
  for (__m512i& sum : sums) asm volatile("" : "+v"(sum));
  return rounds * kSums * 512;
}

int64_t Real(int64_t rounds) {
  constexpr int kSums = 12;
  __m512 sums[kSums] = {}, a = _mm512_set1_ps(1e-9f);
  for (int64_t round = 0; round < rounds; ++round) {
    for (int i = 0; i < kSums; ++i) sums[i] = _mm512_fmadd_ps(a, a, sums[i]);
    for (__m512& sum : sums) asm volatile("" : "+v"(sum));
  }
  return rounds * kSums * 16;
}

constexpr PeakLoops kLoops = {Binary, Real};

}  // namespace

const PeakLoops kPeakLoopsAvx512 = kLoops;

}  // namespace bdc
