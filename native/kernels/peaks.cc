#include "kernels/peaks.h"

#include <algorithm>
#include <array>
#include <barrier>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace bdc {
namespace {

const PeakLoops& LoopsOf(Isa isa) {
  switch (isa) {
    case Isa::kPortable:
      return kPeakLoopsPortable;
#if defined(__x86_64__)
    case Isa::kAvx2:
    case Isa::kAvxVnni:
      return kPeakLoopsAvx2;
    case Isa::kAvx512:
    case Isa::kAmx:
      return kPeakLoopsAvx512;
#elif defined(__aarch64__)
    case Isa::kNeon:
    case Isa::kNeonDotprod:
      return kPeakLoopsNeon;
#endif
    default:
      throw std::invalid_argument("this build holds no kernels for " + std::string(IsaName(isa)));
  }
}

/// The fastest of many short runs: other work on the machine only ever adds time. The threads of a run start
/// together.
double GigaMacsPerSecond(int64_t (*loop)(int64_t), int threads) {
  constexpr int64_t kRounds = 50000;
  constexpr int kRuns = 40;
  std::barrier start(threads);
  std::vector<std::array<double, kRuns>> rates(threads);
  const auto measure = [&](int thread) {
    for (double& rate : rates[thread]) {
      start.arrive_and_wait();
      const auto begin = std::chrono::steady_clock::now();
      const int64_t macs = loop(kRounds);
      const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
      rate = static_cast<double>(macs) / elapsed.count() / 1e9;
    }
  };
  {
    std::vector<std::jthread> others;
    for (int thread = 1; thread < threads; ++thread) others.emplace_back(measure, thread);
    measure(0);
  }
  double best = 0;
  for (int run = 0; run < kRuns; ++run) {
    double sum = 0;
    for (const auto& thread : rates) sum += thread[run];
    best = std::max(best, sum);
  }
  return best;
}

}  // namespace

MachinePeaks MeasurePeaks(Isa isa, int threads) {
  const PeakLoops& loops = LoopsOf(isa);
  return {GigaMacsPerSecond(loops.binary, threads), GigaMacsPerSecond(loops.real, threads)};
}

}  // namespace bdc
