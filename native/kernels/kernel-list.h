#pragma once

#include <cstddef>

#include "kernels/binary-block.h"
#include "kernels/kernels.h"

namespace bdc {

void PackSignsPortable(const PackSignsArgs& args, int begin, int end);
void BinaryConv2dPortable(const BinaryConv2dArgs& args, int begin, int end);
constexpr int kConvRowsPortable = 4;
extern const PlaneKernels kPlanesPortable;
void ConvF32Portable(const ConvF32Args& args, int begin, int end);
void BinaryBlockPortable(const BinaryBlockArgs& args, const BlockRange& range, std::byte* scratch);
int64_t BinaryBlockScratchPortable(const MajorityWeights& weights, int channels);
void PointwiseBlockPortable(const PointwiseBlockArgs& args, const BlockRange& range, std::byte* scratch);
int64_t PointwiseBlockScratchPortable(int channels);
void SweepPortable(const SweepArgs& args, const BlockRange& range);

#if defined(__aarch64__)
void PackSignsNeon(const PackSignsArgs& args, int begin, int end);
void BinaryConv2dNeon(const BinaryConv2dArgs& args, int begin, int end);
constexpr int kConvRowsNeon = 8;
extern const PlaneKernels kPlanesNeon;
void ConvF32Neon(const ConvF32Args& args, int begin, int end);
void BinaryBlockNeon(const BinaryBlockArgs& args, const BlockRange& range, std::byte* scratch);
int64_t BinaryBlockScratchNeon(const MajorityWeights& weights, int channels);
void PointwiseBlockNeon(const PointwiseBlockArgs& args, const BlockRange& range, std::byte* scratch);
int64_t PointwiseBlockScratchNeon(int channels);
void SweepNeon(const SweepArgs& args, const BlockRange& range);
#endif

#if defined(__x86_64__)
void PackSignsAvx2(const PackSignsArgs& args, int begin, int end);
void BinaryConv2dAvx2(const BinaryConv2dArgs& args, int begin, int end);
constexpr int kConvRowsAvx2 = 6;
extern const PlaneKernels kPlanesAvx2;
void ConvF32Avx2(const ConvF32Args& args, int begin, int end);

void PackSignsAvx512(const PackSignsArgs& args, int begin, int end);
void BinaryConv2dAvx512(const BinaryConv2dArgs& args, int begin, int end);
constexpr int kConvRowsAvx512 = 12;
extern const PlaneKernels kPlanesAvx512;
void ConvF32Avx512(const ConvF32Args& args, int begin, int end);
void BinaryBlockAvx2(const BinaryBlockArgs& args, const BlockRange& range, std::byte* scratch);
int64_t BinaryBlockScratchAvx2(const MajorityWeights& weights, int channels);
void PointwiseBlockAvx2(const PointwiseBlockArgs& args, const BlockRange& range, std::byte* scratch);
int64_t PointwiseBlockScratchAvx2(int channels);
void SweepAvx2(const SweepArgs& args, const BlockRange& range);

void BinaryBlockAvx512(const BinaryBlockArgs& args, const BlockRange& range, std::byte* scratch);
int64_t BinaryBlockScratchAvx512(const MajorityWeights& weights, int channels);
void PointwiseBlockAvx512(const PointwiseBlockArgs& args, const BlockRange& range, std::byte* scratch);
int64_t PointwiseBlockScratchAvx512(int channels);
void SweepAvx512(const SweepArgs& args, const BlockRange& range);
void PointwiseTilesAmx(const PointwiseBlockArgs& args, const BlockRange& range, std::byte* scratch);
int64_t PointwiseTilesScratchAmx(const TileWeights& weights);
#endif

}  // namespace bdc
