#include "kernels/kernels.h"

#include <stdexcept>
#include <string>

#include "kernels/kernel-list.h"

namespace bdc {
namespace {

constexpr KernelSet kPortableSet = {.isa = Isa::kPortable,
                                    .pack_signs = PackSignsPortable,
                                    .binary_conv2d = BinaryConv2dPortable,
                                    .binary_block = BinaryBlockPortable,
                                    .binary_block_scratch = BinaryBlockScratchPortable,
                                    .pointwise_block = PointwiseBlockPortable,
                                    .pointwise_block_scratch = PointwiseBlockScratchPortable,
                                    .sweep = SweepPortable,
                                    .conv_f32 = &kConvF32Portable,
                                    .conv_i8 = &kConvI8Portable,
                                    .planes = kPlanesPortable};
#if defined(__x86_64__)
constexpr KernelSet kAvx2Set = {.isa = Isa::kAvx2,
                                .pack_signs = PackSignsAvx2,
                                .binary_conv2d = BinaryConv2dAvx2,
                                .binary_block = BinaryBlockAvx2,
                                .binary_block_scratch = BinaryBlockScratchAvx2,
                                .draws_lines = true,
                                .pointwise_block = PointwiseBlockAvx2,
                                .pointwise_block_scratch = PointwiseBlockScratchAvx2,
                                .sweep = SweepAvx2,
                                .conv_f32 = &kConvF32Avx2,
                                .conv_i8 = &kConvI8Avx2,
                                .planes = kPlanesAvx2};
constexpr KernelSet kAvxVnniSet = [] {
  KernelSet set = kAvx2Set;
  set.isa = Isa::kAvxVnni;
  set.conv_i8 = &kConvI8AvxVnni;
  return set;
}();
constexpr KernelSet kAvx512Set = {.isa = Isa::kAvx512,
                                  .pack_signs = PackSignsAvx512,
                                  .binary_conv2d = BinaryConv2dAvx512,
                                  .binary_block = BinaryBlockAvx512,
                                  .binary_block_scratch = BinaryBlockScratchAvx512,
                                  .looks_up_quantized = true,
                                  .draws_lines = true,
                                  .pointwise_block = PointwiseBlockAvx512,
                                  .pointwise_block_scratch = PointwiseBlockScratchAvx512,
                                  .pointwise_registers = PointwiseRegistersAvx512,
                                  .pointwise_registers_scratch = PointwiseRegistersScratchAvx512,
                                  .sweep = SweepAvx512,
                                  .conv_f32 = &kConvF32Avx512,
                                  .conv_i8 = &kConvI8Avx512,
                                  .planes = kPlanesAvx512};
constexpr KernelSet kAmxSet = [] {
  KernelSet set = kAvx512Set;
  set.isa = Isa::kAmx;
  set.pointwise_registers = nullptr;
  set.pointwise_registers_scratch = nullptr;
  set.pointwise_tiles = PointwiseTilesAmx;
  set.pointwise_tiles_scratch = PointwiseTilesScratchAmx;
  set.conv_i8_tiles = &kConvI8Amx;
  return set;
}();
#elif defined(__aarch64__)
constexpr KernelSet kNeonSet = {.isa = Isa::kNeon,
                                .pack_signs = PackSignsNeon,
                                .binary_conv2d = BinaryConv2dNeon,
                                .binary_block = BinaryBlockNeon,
                                .binary_block_scratch = BinaryBlockScratchNeon,
                                .draws_lines = true,
                                .pointwise_block = PointwiseBlockNeon,
                                .pointwise_block_scratch = PointwiseBlockScratchNeon,
                                .sweep = SweepNeon,
                                .conv_f32 = &kConvF32Neon,
                                .conv_i8 = &kConvI8Neon,
                                .planes = kPlanesNeon};
constexpr KernelSet kNeonDotprodSet = [] {
  KernelSet set = kNeonSet;
  set.isa = Isa::kNeonDotprod;
  set.binary_block = BinaryBlockNeonDotprod;
  set.conv_i8 = &kConvI8NeonDotprod;
  return set;
}();
#endif

}  // namespace

const KernelSet& SelectKernels(Isa isa) {
  switch (isa) {
    case Isa::kPortable:
      return kPortableSet;
#if defined(__x86_64__)
    case Isa::kAvx2:
      // Whole layers: the majority kernel, as a full adder of 256 pixels (5 instructions for 512
      // multiply-adds) beats both a popcount by vpshufb and tables of nibble sums. Convolutions alone:
      // vpshufb.
      return kAvx2Set;
    case Isa::kAvxVnni:
      // VPDPBUSD does 32 multiply-adds of bytes in an instruction, where the AVX2 set takes two VPMADDWD and
      // two VPADDD. W1A8 layers stay with tables, 64 multiply-adds a look-up, which measured faster.
      return kAvxVnniSet;
    case Isa::kAvx512:
      // VPTERNLOG makes a full adder of two instructions: 512 multiply-adds an instruction, where VPOPCNTQ
      // with its XOR and addition does 171. AVX-512 without VPOPCNTDQ is left to the AVX2 set. W1A8 layers of
      // many output channels look up in registers: VPERMI2W and VPADDW do 192 multiply-adds, and loads of
      // tables from anywhere in L1 come slower than they could.
      return kAvx512Set;
    case Isa::kAmx:
      // AVX-512's kernels, and tiles for 1×1 layers on real values: a product does 16384 int8 or 8192
      // bfloat16 multiply-adds in 16 cycles, where a look-up does 128. So do int8 convolutions whose channels
      // fill them; the others are VPDPBUSD's. Signs as ±1 bytes in tiles are slower
      // than full adders, which do as many multiply-adds a cycle: a bit becomes a byte once for each tap, and
      // tiles of that size come from L2, which keeps the matrix unit waiting.
      return kAmxSet;
#elif defined(__aarch64__)
    case Isa::kNeon:
      // BSL makes a full adder of three instructions, and one of a pair of look-ups of two, for 256
      // multiply-adds; CNT with its EOR and ADD does 128. Look-ups are those that suit Cortex-A72: an address
      // of two registers, as the CPUs below have it, costs it a sixth of its rate.
      return kNeonSet;
    case Isa::kNeonDotprod:
      // SDOT multiplies bytes, as only int8 convolutions do: 16 multiply-adds an instruction, where SMULL and
      // two additions of pairs do 4. CPUs that have it, from Cortex-A55 and A76 on, look majorities up at
      // addresses of two registers: A55 would lose three tenths of its rate by those of A72.
      return kNeonDotprodSet;
#endif
    default:
      throw std::invalid_argument("this build holds no kernels for " + std::string(IsaName(isa)));
  }
}

}  // namespace bdc
