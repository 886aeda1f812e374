#pragma once

#include <cstdint>

#include "runtime/isa.h"

namespace bdc {

/// What `threads` threads of this machine reach at most together, 10⁹ multiply-adds a second.
struct MachinePeaks {
  double binary;  // XOR, popcount, add on registers
  double real;    // float32 multiply-add on registers
};

/// Takes some 20 ms. Two threads that share a core's units, or a core with somebody else, reach less than
/// twice what one does: no network scales better.
MachinePeaks MeasurePeaks(Isa isa, int threads = 1);

/// Loops on registers alone, `rounds` times; each returns the multiply-adds it did.
struct PeakLoops {
  int64_t (*binary)(int64_t rounds);
  int64_t (*real)(int64_t rounds);
};

extern const PeakLoops kPeakLoopsPortable;
#if defined(__aarch64__)
extern const PeakLoops kPeakLoopsNeon;
#endif
#if defined(__x86_64__)
extern const PeakLoops kPeakLoopsAvx2, kPeakLoopsAvx512;
#endif

}  // namespace bdc
