#include "kernels/peaks.h"

#include <algorithm>
#include <chrono>
#include <stdexcept>

namespace bdc {
namespace {

const PeakLoops& LoopsOf(Isa isa) {
  switch (isa) {
    case Isa::kPortable:
      return kPeakLoopsPortable;
#if defined(__x86_64__)
    case Isa::kAvx2:
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

/// The fastest of many short runs: other work on the machine only ever adds time.
double GigaMacsPerSecond(int64_t (*loop)(int64_t)) {
  constexpr int64_t kRounds = 50000;
  constexpr int kRuns = 40;
  double best = 0;
  for (int run = 0; run < kRuns; ++run) {
    const auto start = std::chrono::steady_clock::now();
    const int64_t macs = loop(kRounds);
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    best = std::max(best, static_cast<double>(macs) / elapsed.count() / 1e9);
  }
  return best;
}

}  // namespace

MachinePeaks MeasurePeaks(Isa isa) {
  const PeakLoops& loops = LoopsOf(isa);
  return {GigaMacsPerSecond(loops.binary), GigaMacsPerSecond(loops.real)};
}

}  // namespace bdc
