#include "kernels/kernels.h"

#include <stdexcept>
#include <string>

#include "kernels/kernel-list.h"

namespace bdc {
namespace {

constexpr KernelSet kPortableSet = {Isa::kPortable, PackSignsPortable, BinaryConv2dPortable, ConvF32Portable,
                                    kConvRowsPortable};
#if defined(__x86_64__)
constexpr KernelSet kAvx2Set = {Isa::kAvx2, PackSignsAvx2, BinaryConv2dAvx2, ConvF32Avx2, kConvRowsAvx2};
constexpr KernelSet kAvx512Set = {Isa::kAvx512, PackSignsAvx512, BinaryConv2dAvx512, ConvF32Avx512,
                                  kConvRowsAvx512};
#elif defined(__aarch64__)
constexpr KernelSet kNeonSet = {Isa::kNeon, PackSignsNeon, BinaryConv2dNeon, ConvF32Neon, kConvRowsNeon};
// SDOT and UDOT multiply bytes; none of these three kernels does, so the set differs from NEON's in its name
// only.
constexpr KernelSet kNeonDotprodSet = {Isa::kNeonDotprod, PackSignsNeon, BinaryConv2dNeon, ConvF32Neon,
                                       kConvRowsNeon};
#endif

}  // namespace

const KernelSet& SelectKernels(Isa isa) {
  switch (isa) {
    case Isa::kPortable:
      return kPortableSet;
#if defined(__x86_64__)
    case Isa::kAvx2:
      // Without a popcount instruction for vectors, a table look-up by vpshufb counts fastest.
      return kAvx2Set;
    case Isa::kAvx512:
      // VPOPCNTQ is the reason to ask for VPOPCNTDQ; AVX-512 without it is left to the AVX2 set.
      return kAvx512Set;
#elif defined(__aarch64__)
    case Isa::kNeon:
      return kNeonSet;
    case Isa::kNeonDotprod:
      return kNeonDotprodSet;
#endif
    default:
      throw std::invalid_argument("this build holds no kernels for " + std::string(IsaName(isa)));
  }
}

}  // namespace bdc
