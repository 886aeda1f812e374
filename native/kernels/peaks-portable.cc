#include <bit>

#include "kernels/peaks.h"

namespace bdc {
namespace {

int64_t Binary(int64_t rounds) {
  constexpr int kSums = 4;
  uint64_t sums[kSums] = {}, word = static_cast<uint64_t>(rounds);
  for (int64_t round = 0; round < rounds; ++round) {
    for (uint64_t& sum : sums) sum += static_cast<uint64_t>(std::popcount(sum ^ word));
    // Hides from the compiler that the word stays the same.
    asm volatile("" : "+r"(word));
  }
  for (uint64_t& sum : sums) asm volatile("" : "+r"(sum));
  return rounds * kSums * 64;
}

typedef float Float4 __attribute__((vector_size(16)));

int64_t Real(int64_t rounds) {
  constexpr int kSums = 8;
  Float4 sums[kSums] = {}, a = {1e-9f, 1e-9f, 1e-9f, 1e-9f};
  for (int64_t round = 0; round < rounds; ++round) {
    for (Float4& sum : sums) sum += a * a;
#if defined(__x86_64__)
    for (Float4& sum : sums) asm volatile("" : "+x"(sum));
#else
    for (Float4& sum : sums) asm volatile("" : "+w"(sum));
#endif
  }
  return rounds * kSums * 4;
}

constexpr PeakLoops kLoops = {Binary, Real};

}  // namespace

const PeakLoops kPeakLoopsPortable = kLoops;

}  // namespace bdc
