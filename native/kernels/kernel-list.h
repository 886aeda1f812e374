#pragma once

#include <cstddef>

#include "kernels/binary-block.h"
#include "kernels/kernels.h"

namespace bdc {

void PackSignsPortable(const PackSignsArgs& args, int begin, int end);
void BinaryConv2dPortable(const BinaryConv2dArgs& args, int begin, int end);
extern const PlaneKernels kPlanesPortable;
extern const ConvKernel<float> kConvF32Portable;
extern const ConvKernel<int32_t> kConvI8Portable;
void BinaryBlockPortable(const BinaryBlockArgs& args, const BlockRange& range, std::byte* scratch);
int64_t BinaryBlockScratchPortable(const MajorityWeights& weights, int channels);
void PointwiseBlockPortable(const PointwiseBlockArgs& args, const BlockRange& range, std::byte* scratch);
int64_t PointwiseBlockScratchPortable(int channels);
void SweepPortable(const SweepArgs& args, const BlockRange& range);

#if defined(__aarch64__)
void PackSignsNeon(const PackSignsArgs& args, int begin, int end);
void BinaryConv2dNeon(const BinaryConv2dArgs& args, int begin, int end);
extern const PlaneKernels kPlanesNeon;
extern const ConvKernel<float> kConvF32Neon;
extern const ConvKernel<int32_t> kConvI8Neon;
extern const ConvKernel<int32_t> kConvI8NeonDotprod;
void BinaryBlockNeon(const BinaryBlockArgs& args, const BlockRange& range, std::byte* scratch);
void BinaryBlockNeonDotprod(const BinaryBlockArgs& args, const BlockRange& range, std::byte* scratch);
int64_t BinaryBlockScratchNeon(const MajorityWeights& weights, int channels);
void PointwiseBlockNeon(const PointwiseBlockArgs& args, const BlockRange& range, std::byte* scratch);
int64_t PointwiseBlockScratchNeon(int channels);
void SweepNeon(const SweepArgs& args, const BlockRange& range);
#endif

#if defined(__x86_64__)
void PackSignsAvx2(const PackSignsArgs& args, int begin, int end);
void BinaryConv2dAvx2(const BinaryConv2dArgs& args, int begin, int end);
extern const PlaneKernels kPlanesAvx2;
extern const ConvKernel<float> kConvF32Avx2;
extern const ConvKernel<int32_t> kConvI8Avx2;
extern const ConvKernel<int32_t> kConvI8AvxVnni;

void PackSignsAvx512(const PackSignsArgs& args, int begin, int end);
void BinaryConv2dAvx512(const BinaryConv2dArgs& args, int begin, int end);
extern const PlaneKernels kPlanesAvx512;
extern const ConvKernel<float> kConvF32Avx512;
extern const ConvKernel<int32_t> kConvI8Avx512;
void BinaryBlockAvx2(const BinaryBlockArgs& args, const BlockRange& range, std::byte* scratch);
int64_t BinaryBlockScratchAvx2(const MajorityWeights& weights, int channels);
void PointwiseBlockAvx2(const PointwiseBlockArgs& args, const BlockRange& range, std::byte* scratch);
int64_t PointwiseBlockScratchAvx2(int channels);
void SweepAvx2(const SweepArgs& args, const BlockRange& range);

void BinaryBlockAvx512(const BinaryBlockArgs& args, const BlockRange& range, std::byte* scratch);
int64_t BinaryBlockScratchAvx512(const MajorityWeights& weights, int channels);
void PointwiseBlockAvx512(const PointwiseBlockArgs& args, const BlockRange& range, std::byte* scratch);
int64_t PointwiseBlockScratchAvx512(int channels);
void PointwiseRegistersAvx512(const PointwiseBlockArgs& args, const BlockRange& range, std::byte* scratch);
int64_t PointwiseRegistersScratchAvx512(int channels);
void SweepAvx512(const SweepArgs& args, const BlockRange& range);
void PointwiseTilesAmx(const PointwiseBlockArgs& args, const BlockRange& range, std::byte* scratch);
int64_t PointwiseTilesScratchAmx(const TileWeights& weights);
extern const ConvKernel<int32_t> kConvI8Amx;
#endif

}  // namespace bdc
