#pragma once

#include "kernels/kernels.h"

namespace bdc {

void PackSignsPortable(const PackSignsArgs& args, int begin, int end);
void BinaryConv2dPortable(const BinaryConv2dArgs& args, int begin, int end);
constexpr int kConvRowsPortable = 4;
void ConvF32Portable(const ConvF32Args& args, int begin, int end);

#if defined(__aarch64__)
void PackSignsNeon(const PackSignsArgs& args, int begin, int end);
void BinaryConv2dNeon(const BinaryConv2dArgs& args, int begin, int end);
constexpr int kConvRowsNeon = 8;
void ConvF32Neon(const ConvF32Args& args, int begin, int end);
#endif

#if defined(__x86_64__)
void PackSignsAvx2(const PackSignsArgs& args, int begin, int end);
void BinaryConv2dAvx2(const BinaryConv2dArgs& args, int begin, int end);
constexpr int kConvRowsAvx2 = 6;
void ConvF32Avx2(const ConvF32Args& args, int begin, int end);

void PackSignsAvx512(const PackSignsArgs& args, int begin, int end);
void BinaryConv2dAvx512(const BinaryConv2dArgs& args, int begin, int end);
constexpr int kConvRowsAvx512 = 12;
void ConvF32Avx512(const ConvF32Args& args, int begin, int end);
#endif

}  // namespace bdc
