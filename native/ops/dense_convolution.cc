#include "ops/dense_convolution.h"

#include <algorithm>
#include <limits>
#include <string>

#include "ops/activations.h"
#include "ops/planes.h"

namespace bdc {
namespace {

// All of the weights pass over a band, and its first and last rows are copied for the next one too, so bands
// of deep layers should be long. Of what is packed a strip reads kConvDepth taps at a time, which stay in the
// second-level cache.
constexpr int64_t kBandBytes = 1024 * 1024;
// Of a batch, so that threads find work even where a band's input is small.
constexpr int kFewestBands = 16;
// The same place of planes that are a multiple of it apart falls into eight sets of an L1 cache or fewer.
constexpr int64_t kCollidingBytes = 512;

}  // namespace

template <typename Word>
DenseConvolution<Word>::DenseConvolution(const ConvGeometry& geometry, float input_factor)
    : geometry_(geometry),
      input_factor_(input_factor),
      phases_h_(std::min(geometry.ExtentH(), geometry.stride_h)),
      phases_w_(std::min(geometry.ExtentW(), geometry.stride_w)),
      pitch_(geometry.out_width + (geometry.ExtentW() - 1) / geometry.stride_w) {}

template <typename Word>
void DenseConvolution<Word>::Check(const OperationReader& reader) const {
  // Taps are int32 offsets: in a band, or in an image, which has fewer than 2^31 values.
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  if (BandWords() <= kMost) return;
  reader.Fail("MODEL_SHAPE", "input",
              "at most " + std::to_string(kMost * channels_) +
                  " values in the rows under the kernel, with padding (take fewer channels, a narrower image "
                  "or a lower kernel)",
              std::to_string(BandWords() * channels_));
}

template <typename Word>
bool DenseConvolution<Word>::ReadsInPlace() const {
  if (!kIsFloat || !geometry_.IsPointwise() || geometry_.Columns() == 1) return false;
  return geometry_.Columns() * int64_t{sizeof(Word)} % kCollidingBytes != 0;
}

template <typename Word>
bool DenseConvolution<Word>::HasSinglePixels() const {
  return kIsFloat && geometry_.IsPointwise() && geometry_.Columns() == 1;
}

template <typename Word>
void DenseConvolution<Word>::RunSinglePixels(const RunContext& context, const float* start,
                                             const ConvEpilogue& epilogue, const Tensor& x,
                                             const Tensor& y) const {
  const ConvActivation& a = epilogue.activation;
  const float* weight = column_weight_.data();
  for (int first = 0; first < y.channels;
       first += kColumnBlock, weight += int64_t{x.channels} * kColumnBlock) {
    const int count = std::min(kColumnBlock, y.channels - first);
    for (int64_t image = 0; image < x.batch; ++image) {
      float sums[kColumnBlock] = {};
      if (start != nullptr) std::copy_n(start + first, count, sums);
      context.kernels.planes.multiply(weight, x.f32() + image * x.image(), x.channels, sums);
      float* to = y.f32() + image * y.image() + first;
      for (int i = 0; i < count; ++i) {
        const int o = first + i;
        const float t = Activated(a, o, sums[i]);
        to[i] = epilogue.relu && t < 0 ? 0.0f : t;
      }
    }
  }
}

template <typename Word>
int DenseConvolution<Word>::BandRows() const {
  const ConvGeometry& g = geometry_;
  // A strip at least: all weights are read for each.
  const int64_t whole_strip = kConvStrip / pitch_;
  const int64_t share = (int64_t{g.out_height} * g.images + kFewestBands - 1) / kFewestBands;
  const int most = static_cast<int>(std::min<int64_t>(std::max(share, whole_strip), g.out_height));
  if (ReadsInPlace()) return most;
  const int64_t row_bytes = BandPlanes() * pitch_ * int64_t{sizeof(Word)};
  return static_cast<int>(std::clamp<int64_t>(kBandBytes / row_bytes, 1, most));
}

template <typename Word>
int DenseConvolution<Word>::BandRows(int64_t images, int threads) const {
  constexpr int kBandsPerThread = 4;
  int64_t bands = (geometry_.out_height + BandRows() - 1) / BandRows();
  while (images * bands % threads != 0 && images * bands < kBandsPerThread * threads) ++bands;
  return static_cast<int>((geometry_.out_height + bands - 1) / bands);
}

template <typename Word>
int64_t DenseConvolution<Word>::PlaneWords() const {
  const int64_t rows = BandRows() + (geometry_.ExtentH() - 1) / geometry_.stride_h;
  const int64_t strip = geometry_.IsPointwise() ? std::min<int64_t>(kConvStrip, geometry_.Columns()) : 0;
  const int64_t words = std::max(rows * pitch_, strip);
  // An odd number of cache lines: the same place of neighbouring planes falls into different sets.
  constexpr int64_t kLine = kAlignment / sizeof(Word);
  return ((words + kLine - 1) / kLine | 1) * kLine;
}

template <typename Word>
typename DenseConvolution<Word>::SlotLayout DenseConvolution<Word>::Layout() const {
  constexpr auto kWord = static_cast<int64_t>(sizeof(Word));
  const auto depth = static_cast<int>(Taps());
  const int64_t packed = ReadsInPlace() ? 0 : BandWords() + kConvSlack;
  const int64_t row = kIsFloat ? 0 : geometry_.in_width;
  SlotLayout layout{};
  layout.row = AlignedBytes(packed * kWord);
  layout.sums = layout.row + AlignedBytes(row * kWord);
  layout.spare = layout.sums + AlignedBytes(ConvScratchWords(AllChannels(), depth) * kWord);
  // All spare channels go to one plane of a band or strip.
  const int64_t spare = spare_channels_ == 0 ? 0 : PlaneWords();
  layout.planes = layout.spare + AlignedBytes(spare * int64_t{sizeof(float)});
  layout.bytes = layout.planes + AlignedBytes(AllChannels() * int64_t{sizeof(void*)});
  return layout;
}

template <typename Word>
int64_t DenseConvolution<Word>::ScratchBytes(int threads) const {
  return threads * Layout().bytes;
}

template <typename Word>
void DenseConvolution<Word>::Load(const Word* weight, const ConvKernel<Word>& kernel, int spare_channels) {
  const ConvGeometry& g = geometry_;
  kernel_ = &kernel;
  channels_ = kernel.channels;
  spare_channels_ = spare_channels;
  std::vector<Word> all(weight, weight + g.out_channels * Taps());
  all.resize(AllChannels() * Taps());
  weight_ = AlignedBuffer<Word>(all.size());
  PackConvWeights(all.data(), AllChannels(), static_cast<int>(Taps()), kernel, weight_.data());
  if (HasSinglePixels()) {
    const int64_t blocks = (g.out_channels + kColumnBlock - 1) / kColumnBlock;
    column_weight_ = AlignedBuffer<float>(blocks * g.in_channels * kColumnBlock);
    for (int64_t o = 0; o < g.out_channels; ++o) {
      float* const to = &column_weight_[o / kColumnBlock * g.in_channels * kColumnBlock + o % kColumnBlock];
      for (int64_t i = 0; i < g.in_channels; ++i) {
        to[i * kColumnBlock] = static_cast<float>(weight[o * g.in_channels + i]);
      }
    }
  }
  taps_.clear();
  const auto add = [&](int64_t i, int ky, int kx) {
    const int y = ky * g.dilation_h, x = kx * g.dilation_w;
    const int64_t plane = (i * phases_h_ + y % g.stride_h) * phases_w_ + x % g.stride_w;
    const int64_t at = plane * PlaneWords() + y / g.stride_h * pitch_ + x / g.stride_w;
    taps_.push_back(static_cast<int32_t>(ReadsInPlace() ? i * g.in_height * g.in_width : at));
  };
  // As the weights lie.
  const int outer = kIsFloat ? Planes() : 1, inner = Planes() / outer;
  for (int i = 0; i < outer; ++i) {
    for (int ky = 0; ky < g.kernel_h; ++ky) {
      for (int kx = 0; kx < g.kernel_w; ++kx) {
        for (int j = 0; j < inner; ++j) add(i + j, ky, kx);
      }
    }
  }
}

template <typename Word>
const Word* DenseConvolution<Word>::InputWords(const RunContext& context, const Tensor& x, int64_t image,
                                               int i, int64_t pixel, int64_t count, Word* made) const {
  const auto offset = [&](int channel) { return image * x.image() + channel * x.plane() + pixel; };
  if constexpr (kIsFloat) {
    return x.f32() + offset(i);
  } else {
    constexpr int kMostChannels = 4;
    const int8_t* bytes[kMostChannels];
    const uint16_t* halves[kMostChannels];
    const float* values[kMostChannels];
    for (int j = 0; j < channels_; ++j) {
      // Weights of channels past the last are 0, whatever they meet.
      const int64_t at = offset(std::min(i * channels_ + j, x.channels - 1));
      bytes[j] = x.s8() + at;
      halves[j] = x.f16() + at;
      values[j] = x.f32() + at;
    }
    const PlaneKernels& planes = context.kernels.planes;
    const bool has_quads = channels_ == kMostChannels;
    switch (x.type) {
      case ElementType::kInt8:
        (has_quads ? planes.quads_from_s8 : planes.pairs_from_s8)(bytes, count, made);
        break;
      case ElementType::kFloat16:
        (has_quads ? planes.quads_from_f16 : planes.pairs_from_f16)(halves, input_factor_, count, made);
        break;
      default:
        (has_quads ? planes.quads_from_f32 : planes.pairs_from_f32)(values, input_factor_, count, made);
    }
    return made;
  }
}

template <typename Word>
void DenseConvolution<Word>::CopyWords(const RunContext& context, const Tensor& x, int64_t image, int i,
                                       int64_t pixel, int64_t count, Word* to) const {
  const Word* const words = InputWords(context, x, image, i, pixel, count, to);
  if (words != to) std::copy_n(words, count, to);
}

template <typename Word>
void DenseConvolution<Word>::PackBand(const RunContext& context, const Tensor& x, int64_t image, int first,
                                      int out_rows, Word* packed, Word* row_buffer) const {
  const ConvGeometry& g = geometry_;
  const int rows = out_rows + (g.ExtentH() - 1) / g.stride_h, pitch = static_cast<int>(pitch_);
  if (g.IsPointwise()) {
    const int64_t pixels = int64_t{std::min(rows, g.in_height - first)} * pitch;
    for (int i = 0; i < Planes(); ++i, packed += PlaneWords()) {
      CopyWords(context, x, image, i, int64_t{first} * pitch, pixels, packed);
    }
    return;
  }
  for (int i = 0; i < Planes(); ++i) {
    for (int phase_y = 0; phase_y < phases_h_; ++phase_y, packed += phases_w_ * PlaneWords()) {
      for (int row = 0; row < rows; ++row) {
        const int y = (first + row) * g.stride_h + phase_y - g.pad_h;
        const bool is_inside = y >= 0 && y < g.in_height;
        const int64_t row_at = int64_t{y} * x.width;
        // Every column of a row, where only some of them are copied to a phase.
        const Word* const image_row = is_inside && g.stride_w > 1
                                          ? InputWords(context, x, image, i, row_at, x.width, row_buffer)
                                          : nullptr;
        for (int phase_x = 0; phase_x < phases_w_; ++phase_x) {
          Word* const to = packed + phase_x * PlaneWords() + int64_t{row} * pitch;
          if (!is_inside) {
            std::fill_n(to, pitch, Word{0});
            continue;
          }
          // Columns that lie inside the image: left ≤ column < right.
          const int shift = phase_x - g.pad_w;
          const int left = std::min(pitch, shift < 0 ? (-shift + g.stride_w - 1) / g.stride_w : 0);
          const int reach = g.in_width - 1 - shift;
          const int right = std::max(left, reach < 0 ? 0 : std::min(pitch, reach / g.stride_w + 1));
          std::fill(to, to + left, Word{0});
          if (g.stride_w == 1) {
            CopyWords(context, x, image, i, row_at + shift + left, right - left, to + left);
          } else if (g.stride_w == 2) {
            context.kernels.planes.every_second(image_row + shift + left * 2, right - left, to + left);
          } else {
            for (int column = left; column < right; ++column) {
              to[column] = image_row[shift + column * g.stride_w];
            }
          }
          std::fill(to + right, to + pitch, Word{0});
        }
      }
    }
  }
}

template <typename Word>
void DenseConvolution<Word>::RunPixels(const RunContext& context, const Word* start, ConvEpilogue epilogue,
                                       const Pixels& pixels, float* y, std::byte* scratch) const {
  const SlotLayout layout = Layout();
  const auto& [x, first, count] = pixels;
  auto* const packed = reinterpret_cast<Word*>(scratch);
  auto** const planes = reinterpret_cast<void**>(scratch + layout.planes);
  for (int o = 0; o < geometry_.out_channels; ++o) planes[o] = y + int64_t{o} * count;
  std::fill_n(planes + geometry_.out_channels, spare_channels_, scratch + layout.spare);
  epilogue.output = planes;
  const Word* input = packed;
  if (ReadsInPlace()) {
    input = InputWords(context, x, 0, 0, first, count, nullptr);
  } else {
    for (int i = 0; i < Planes(); ++i) {
      CopyWords(context, x, 0, i, first, count, packed + i * PlaneWords());
    }
  }
  const ConvArgs<Word> args{.weight = weight_.data(),
                            .start = start,
                            .taps = taps_.data(),
                            .input = input,
                            .epilogue = epilogue,
                            .out_channels = AllChannels(),
                            .depth = static_cast<int>(Taps()),
                            .width = count,
                            .pitch = count,
                            .scratch = reinterpret_cast<Word*>(scratch + layout.sums)};
  kernel_->run(args, 0, 1);
}

template <typename Word>
void DenseConvolution<Word>::Run(const RunContext& context, const Word* start, const ConvEpilogue& epilogue,
                                 const Tensor& x, const Tensor* residual, Tensors outputs) const {
  const ConvGeometry& g = geometry_;
  const int band_rows = BandRows(x.batch, context.pool.size()),
            bands = (g.out_height + band_rows - 1) / band_rows;
  const SlotLayout layout = Layout();
  const ConvArgs<Word> common{.weight = weight_.data(),
                              .start = start,
                              .taps = taps_.data(),
                              .input = nullptr,
                              .epilogue = epilogue,
                              .out_channels = AllChannels(),
                              .depth = static_cast<int>(Taps()),
                              .width = g.out_width,
                              .pitch = pitch_,
                              .scratch = nullptr};
  if constexpr (kIsFloat) {
    if (HasSinglePixels() && residual == nullptr && outputs.size() == 1 &&
        outputs[0].type == ElementType::kFloat32) {
      RunSinglePixels(context, start, epilogue, x, outputs[0]);
      return;
    }
  }
  ForEachItem(context, int64_t{bands} * x.batch, [&](int64_t slot, int64_t item) {
    std::byte* const scratch = context.scratch + slot * layout.bytes;
    auto* const packed = reinterpret_cast<Word*>(scratch);
    auto** const planes = reinterpret_cast<void**>(scratch + layout.planes);
    const int64_t image = item / bands;
    const int first = static_cast<int>(item % bands) * band_rows;
    const int64_t pixel = int64_t{first} * g.out_width;
    ConvArgs<Word> args = common;
    args.input = packed;
    args.scratch = reinterpret_cast<Word*>(scratch + layout.sums);
    if (ReadsInPlace()) {
      args.input = InputWords(context, x, image, 0, pixel, 0, nullptr);
    } else {
      PackBand(context, x, image, first, band_rows, packed, reinterpret_cast<Word*>(scratch + layout.row));
    }
    if (residual != nullptr) {
      const Tensor& r = *residual;
      args.epilogue.residual = {r.at(image * r.image() + pixel), r.stream_type(), r.plane()};
    }
    void** plane = planes;
    for (const Tensor& y : outputs) {
      if (y.type == ElementType::kInt8) {
        args.epilogue.quantized = y.s8() + image * y.image() + pixel;
        args.epilogue.quantized_plane = y.plane();
        continue;
      }
      args.epilogue.output = planes;
      args.epilogue.output_type = y.stream_type();
      for (int channel = 0; channel < y.channels; ++channel) {
        *plane++ = y.at(image * y.image() + channel * y.plane() + pixel);
      }
    }
    std::fill_n(planes + g.out_channels, spare_channels_, scratch + layout.spare);
    kernel_->run(args, 0, std::min(band_rows, g.out_height - first));
  });
}

template class DenseConvolution<float>;
template class DenseConvolution<int32_t>;

}  // namespace bdc
