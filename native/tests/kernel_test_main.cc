#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "kernel_tester.h"

namespace bdc {

void ForEachIsa(const std::function<void(const KernelSet& kernels)>& check) {
  for (Isa isa : SupportedIsas()) {
    SCOPED_TRACE(std::string(IsaName(isa)));
    check(SelectKernels(isa));
  }
}

std::vector<float> RandomFloats(size_t count, uint32_t seed) {
  std::mt19937 generator(seed);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(generator()) * 0x1p-31f - 1.0f;
  return values;
}

namespace {

uint64_t UsedBits(int channels, int word) {
  const int left = channels - 64 * word;
  return left >= 64 ? ~uint64_t{0} : (uint64_t{1} << left) - 1;
}

}  // namespace

std::vector<uint64_t> RandomBits(size_t vectors, int channels, uint32_t seed) {
  std::mt19937_64 generator(seed);
  std::vector<uint64_t> bits = FullBits(vectors, channels, true);
  for (uint64_t& word : bits) word &= generator();
  return bits;
}

std::vector<uint64_t> FullBits(size_t vectors, int channels, bool set) {
  const int words = WordsFor(channels);
  std::vector<uint64_t> bits(vectors * words, 0);
  for (size_t i = 0; set && i < bits.size(); ++i) bits[i] = UsedBits(channels, static_cast<int>(i % words));
  return bits;
}

namespace {

/// Says which instruction sets the numbers below stand for.
class IsaReport : public ::testing::EmptyTestEventListener {
  void OnTestProgramEnd(const ::testing::UnitTest&) override {
    const std::vector<Isa> supported = SupportedIsas();
    std::string executed, absent;
    for (Isa isa : {Isa::kPortable, Isa::kNeon, Isa::kNeonDotprod, Isa::kAvx2, Isa::kAvxVnni, Isa::kAvx512,
                    Isa::kAmx}) {
      const bool here = std::find(supported.begin(), supported.end(), isa) != supported.end();
      (here ? executed : absent).append(" ").append(IsaName(isa));
    }
    std::printf("Instruction sets executed:%s; not executed (not this CPU):%s\n", executed.c_str(),
                absent.empty() ? " none" : absent.c_str());
  }
};

}  // namespace
}  // namespace bdc

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  ::testing::UnitTest::GetInstance()->listeners().Append(new bdc::IsaReport);
  return RUN_ALL_TESTS();
}
