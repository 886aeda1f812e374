#pragma once

#include "kernels/kernels.h"

namespace bdc {

void PackSignsPortable(const PackSignsArgs& args, int begin, int end);
void BinaryConv2dPortable(const BinaryConv2dArgs& args, int begin, int end);
void GemmF32Portable(const GemmArgs& args, int64_t begin, int64_t end);

#if defined(__aarch64__)
void PackSignsNeon(const PackSignsArgs& args, int begin, int end);
void BinaryConv2dNeon(const BinaryConv2dArgs& args, int begin, int end);
void GemmF32Neon(const GemmArgs& args, int64_t begin, int64_t end);
#endif

#if defined(__x86_64__)
void PackSignsAvx2(const PackSignsArgs& args, int begin, int end);
void BinaryConv2dAvx2(const BinaryConv2dArgs& args, int begin, int end);
void GemmF32Avx2(const GemmArgs& args, int64_t begin, int64_t end);

void PackSignsAvx512(const PackSignsArgs& args, int begin, int end);
void BinaryConv2dAvx512(const BinaryConv2dArgs& args, int begin, int end);
void GemmF32Avx512(const GemmArgs& args, int64_t begin, int64_t end);
#endif

}  // namespace bdc
