#pragma once

#include <cstdint>
#include <type_traits>
#include <vector>

#include "ops/conv_geometry.h"
#include "ops/operation.h"
#include "runtime/aligned_buffer.h"

namespace bdc {

/// Real convolution in bands of output rows. A band's input is first copied into planes where every tap lies
/// at a constant distance: with its padding, and one plane for each phase of the stride. Word: float, or
/// int32_t of the quads or pairs of an int8 image (kernels/conv.h), which are made as they are copied. Planes
/// of an image may lie a multiple of 4 KB apart, where the taps of a pixel share one set of a cache; those of
/// a band don't.
template <typename Word>
class DenseConvolution {
 public:
  /// `input_factor`: what real values are multiplied with before they are rounded to int8.
  explicit DenseConvolution(const ConvGeometry& geometry, float input_factor = 0.0f);
  /// Refuses what a band is too large for.
  void Check(const OperationReader& reader) const;
  /// weight: [O][I][kh][kw] floats, or [O][kh][kw][words of a pixel]. `spare_channels` of weights 0 follow,
  /// for a kernel that computes whole blocks: what becomes of them is dropped, and the epilogue's vectors
  /// have values for them.
  void Load(const Word* weight, const ConvKernel<Word>& kernel, int spare_channels = 0);
  int64_t ScratchBytes(int threads) const;
  /// `epilogue`: its vectors and steps; where it reads and writes comes from `residual` (nullptr: none) and
  /// `outputs`, whose real ones share the output channels in order; an int8 one is the quantised output.
  void Run(const RunContext& context, const Word* start, const ConvEpilogue& epilogue, const Tensor& x,
           const Tensor* residual, Tensors outputs) const;

  /// Pixels [first, first + count) of the first image, kConvStrip at most.
  struct Pixels {
    const Tensor& x;
    int64_t first;
    int count;
  };
  int64_t PixelScratchBytes() const { return Layout().bytes; }
  /// y[o][i] of a 1×1 convolution that keeps every pixel.
  void RunPixels(const RunContext& context, const Word* start, ConvEpilogue epilogue, const Pixels& pixels,
                 float* y, std::byte* scratch) const;

 private:
  static constexpr bool kIsFloat = std::is_same_v<Word, float>;

  /// Words of a pixel, each a plane of its own.
  int Planes() const { return (geometry_.in_channels + channels_ - 1) / channels_; }
  /// Words of an output channel's weights.
  int64_t Taps() const { return int64_t{Planes()} * geometry_.kernel_h * geometry_.kernel_w; }
  /// Where the parts of a slot's scratch begin, bytes.
  struct SlotLayout {
    int64_t row, sums, spare, planes, bytes;
  };

  /// A float 1×1 convolution that keeps every pixel, of planes that don't collide: nothing is copied.
  bool ReadsInPlace() const;
  int AllChannels() const { return geometry_.out_channels + spare_channels_; }
  /// At most, for which there is memory.
  int BandRows() const;
  /// Of bands alike among which `threads` share `images`.
  int BandRows(int64_t images, int threads) const;
  /// Planes of a band: of each plane of an image one for each phase.
  int64_t BandPlanes() const { return int64_t{Planes()} * phases_h_ * phases_w_; }
  /// Words of a plane of a band.
  int64_t PlaneWords() const;
  /// Words of a band, 0 where nothing is copied.
  int64_t BandWords() const { return ReadsInPlace() ? 0 : BandPlanes() * PlaneWords(); }
  SlotLayout Layout() const;
  /// `count` words of plane i of an image from `pixel` on, where they lie or made in `made`.
  const Word* InputWords(const RunContext& context, const Tensor& x, int64_t image, int i, int64_t pixel,
                         int64_t count, Word* made) const;
  /// The same words, at `to` whatever they are.
  void CopyWords(const RunContext& context, const Tensor& x, int64_t image, int i, int64_t pixel,
                 int64_t count, Word* to) const;
  /// Whether images are single pixels of real values.
  bool HasSinglePixels() const;
  /// Columns of a matrix: vectors lie along the output channels, of which there are more than pixels.
  void RunSinglePixels(const RunContext& context, const float* start, const ConvEpilogue& epilogue,
                       const Tensor& x, const Tensor& y) const;
  /// Copies what output rows [first, first + out_rows) see of an image.
  void PackBand(const RunContext& context, const Tensor& x, int64_t image, int first, int out_rows,
                Word* packed, Word* row) const;

  ConvGeometry geometry_;
  float input_factor_;
  int phases_h_, phases_w_;  // of the stride, that taps fall on
  int64_t pitch_;            // of packed rows
  int spare_channels_ = 0;
  const ConvKernel<Word>* kernel_ = nullptr;
  /// Of a word: the kernel's, and as few as any kernel's before there is one.
  int channels_ = kIsFloat ? 1 : 2;
  AlignedBuffer<Word> weight_;
  AlignedBuffer<float> column_weight_;  // of single pixels: [O / kColumnBlock][I][kColumnBlock]
  std::vector<int32_t> taps_;
};

extern template class DenseConvolution<float>;
extern template class DenseConvolution<int32_t>;

}  // namespace bdc
