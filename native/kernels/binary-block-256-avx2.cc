#include "kernels/bits-avx2.h"
#include "kernels/float-avx2.h"
#include "kernels/kernel-list.h"

namespace bdc {

void BinaryBlockAvx2(const BinaryBlockArgs& args, const BlockRange& range, std::byte* scratch) {
  RunBinaryBlocks<Avx2Bits, FloatAvx2>(args, range, scratch);
}

int64_t BinaryBlockScratchAvx2(const MajorityWeights& weights, int channels) {
  return BinaryBlockScratch<Avx2Bits>(weights, channels);
}

void SweepAvx2(const SweepArgs& args, const BlockRange& range) { RunSweep<FloatAvx2>(args, range); }

}  // namespace bdc
