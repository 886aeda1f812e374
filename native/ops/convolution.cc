#include "ops/convolution.h"

#include <algorithm>
#include <tuple>

#include "ops/plain_convolution.h"
#include "ops/planes.h"

namespace bdc {
namespace {

// A band's packed input should stay in the second-level cache while every output channel passes over it.
constexpr int64_t kBandBytes = 192 * 1024;
// Of an image, so that threads find work even where a band's input is small.
constexpr int kFewestBands = 8;

int OutputSize(int input, int padding, int extent, int stride) {
  return (input + 2 * padding - extent) / stride + 1;
}

}  // namespace

ConvGeometry ReadConvGeometry(OperationReader& reader, int64_t out_channels, int64_t kernel_h,
                              int64_t kernel_w, std::pair<int, int> dilation) {
  TensorSpec spec = reader.Input(0);
  if (kernel_h > 255 || kernel_w > 255) {
    reader.Fail("MODEL_TENSOR_SHAPE", "tensors.weight", "a kernel of at most 255×255",
                std::to_string(kernel_h) + "×" + std::to_string(kernel_w));
  }
  ConvGeometry g{};
  g.in_channels = spec.channels;
  g.in_height = spec.height;
  g.in_width = spec.width;
  g.out_channels = static_cast<int>(out_channels);
  g.kernel_h = static_cast<int>(kernel_h);
  g.kernel_w = static_cast<int>(kernel_w);
  std::tie(g.stride_h, g.stride_w) = reader.IntPair("stride", 1, 255);
  std::tie(g.pad_h, g.pad_w) = reader.IntPair("padding", 0, 255);
  std::tie(g.dilation_h, g.dilation_w) = dilation;
  const int extent_h = g.ExtentH(), extent_w = g.ExtentW();
  if (g.pad_h >= extent_h || g.pad_w >= extent_w) {
    reader.Fail("MODEL_ATTRIBUTE", "attributes.padding", "less than the kernel",
                std::to_string(g.pad_h) + ", " + std::to_string(g.pad_w));
  }
  if (g.in_height + 2 * g.pad_h < extent_h || g.in_width + 2 * g.pad_w < extent_w) {
    reader.Fail("MODEL_SHAPE", "input", "an image no smaller than the kernel",
                std::to_string(g.in_height) + "×" + std::to_string(g.in_width));
  }
  g.out_height = OutputSize(g.in_height, g.pad_h, extent_h, g.stride_h);
  g.out_width = OutputSize(g.in_width, g.pad_w, extent_w, g.stride_w);
  spec.type = ElementType::kFloat32;
  spec.channels = g.out_channels;
  spec.height = g.out_height;
  spec.width = g.out_width;
  reader.AddOutput(spec);
  return g;
}

DenseConvolution::DenseConvolution(const ConvGeometry& geometry)
    : geometry_(geometry),
      pointwise_(geometry.IsPointwise()),
      phases_h_(std::min(geometry.ExtentH(), geometry.stride_h)),
      phases_w_(std::min(geometry.ExtentW(), geometry.stride_w)),
      pitch_(geometry.out_width + (geometry.ExtentW() - 1) / geometry.stride_w) {}

int DenseConvolution::BandRows() const {
  const ConvGeometry& g = geometry_;
  const int share = (g.out_height + kFewestBands - 1) / kFewestBands;
  if (pointwise_) return share;
  const int64_t row_bytes = g.in_channels * phases_h_ * phases_w_ * pitch_ * int64_t{sizeof(float)};
  return static_cast<int>(std::clamp<int64_t>(kBandBytes / row_bytes, 1, share));
}

int64_t DenseConvolution::InputValues() const {
  if (pointwise_) return 0;
  const ConvGeometry& g = geometry_;
  const int64_t rows = BandRows() + (g.ExtentH() - 1) / g.stride_h;
  return g.in_channels * phases_h_ * phases_w_ * rows * pitch_ + kConvSlack;
}

int64_t DenseConvolution::SlotBytes() const {
  const int64_t values =
      InputValues() + ConvScratchValues(geometry_.out_channels, static_cast<int>(geometry_.Depth()));
  const int64_t bytes = geometry_.out_channels * int64_t{sizeof(float*)} + values * int64_t{sizeof(float)};
  // Slots, and the parts of one, start at cache lines.
  return bytes + 3 * static_cast<int64_t>(kAlignment);
}

int64_t DenseConvolution::ScratchBytes(int threads) const {
  constexpr auto kStep = static_cast<int64_t>(kAlignment);
  return threads * ((SlotBytes() + kStep - 1) / kStep * kStep);
}

void DenseConvolution::Load(const float* weight, const KernelSet& kernels) {
  const ConvGeometry& g = geometry_;
  const int depth = static_cast<int>(g.Depth());
  weight_ = AlignedBuffer<float>(g.out_channels * g.Depth());
  PackConvWeights(weight, g.out_channels, depth, kernels.conv_f32_rows, weight_.data());
  const int64_t rows = BandRows() + (g.ExtentH() - 1) / g.stride_h;
  taps_.clear();
  for (int64_t i = 0; i < g.in_channels; ++i) {
    for (int y = 0; y < g.ExtentH(); y += g.dilation_h) {
      for (int x = 0; x < g.ExtentW(); x += g.dilation_w) {
        const int64_t plane = (i * phases_h_ + y % g.stride_h) * phases_w_ + x % g.stride_w;
        const int64_t at = (plane * rows + y / g.stride_h) * pitch_ + x / g.stride_w;
        taps_.push_back(static_cast<int32_t>(pointwise_ ? i * g.in_height * g.in_width : at));
      }
    }
  }
}

void DenseConvolution::PackBand(const float* image, int first, float* packed) const {
  const ConvGeometry& g = geometry_;
  const int rows = BandRows() + (g.ExtentH() - 1) / g.stride_h, pitch = static_cast<int>(pitch_);
  for (int i = 0; i < g.in_channels; ++i) {
    for (int phase_y = 0; phase_y < phases_h_; ++phase_y) {
      for (int phase_x = 0; phase_x < phases_w_; ++phase_x) {
        // Columns that lie inside the image: left ≤ column < right.
        const int shift = phase_x - g.pad_w;
        const int left = std::min(pitch, shift < 0 ? (-shift + g.stride_w - 1) / g.stride_w : 0);
        const int reach = g.in_width - 1 - shift;
        const int right = std::max(left, reach < 0 ? 0 : std::min(pitch, reach / g.stride_w + 1));
        for (int row = 0; row < rows; ++row, packed += pitch) {
          const int y = (first + row) * g.stride_h + phase_y - g.pad_h;
          if (y < 0 || y >= g.in_height) {
            std::fill_n(packed, pitch, 0.0f);
            continue;
          }
          const float* from = image + (int64_t{i} * g.in_height + y) * g.in_width + shift;
          std::fill(packed, packed + left, 0.0f);
          if (g.stride_w == 1) {
            std::copy(from + left, from + right, packed + left);
          } else if (g.stride_w == 2) {
            // The usual stride as a constant: compilers make shuffles of it.
            for (int column = left; column < right; ++column) packed[column] = from[column * 2];
          } else {
            for (int column = left; column < right; ++column) packed[column] = from[column * g.stride_w];
          }
          std::fill(packed + right, packed + pitch, 0.0f);
        }
      }
    }
  }
}

void DenseConvolution::RunPixels(const KernelSet& kernels, const float* bias, const float* image,
                                 int64_t first, int count, const PixelScratch& scratch) const {
  for (int o = 0; o < geometry_.out_channels; ++o) scratch.planes[o] = scratch.output + int64_t{o} * count;
  const ConvF32Args args{.weight = weight_.data(),
                         .bias = bias,
                         .taps = taps_.data(),
                         .input = image + first,
                         .output = scratch.planes,
                         .activation = {},
                         .out_channels = geometry_.out_channels,
                         .depth = static_cast<int>(geometry_.Depth()),
                         .width = count,
                         .pitch = count,
                         .scratch = scratch.sums};
  kernels.conv_f32(args, 0, 1);
}

void DenseConvolution::Run(const RunContext& context, const float* bias, const ConvActivation& activation,
                           const Tensor& x, Tensors outputs) const {
  const ConvGeometry& g = geometry_;
  const int band_rows = BandRows(), bands = (g.out_height + band_rows - 1) / band_rows;
  const int64_t items = int64_t{bands} * x.batch;
  const auto run_band = [&](int64_t item, float* packed, float* sums, float** planes) {
    const int64_t image = item / bands;
    const int first = static_cast<int>(item % bands) * band_rows;
    const int rows = std::min(band_rows, g.out_height - first);
    const float* from = x.f32() + image * x.image();
    if (!pointwise_) PackBand(from, first, packed);
    float** plane = planes;
    for (const Tensor& y : outputs) {
      for (int channel = 0; channel < y.channels; ++channel) {
        *plane++ = y.f32() + image * y.image() + channel * y.plane() + int64_t{first} * g.out_width;
      }
    }
    const ConvF32Args args{.weight = weight_.data(),
                           .bias = bias,
                           .taps = taps_.data(),
                           .input = pointwise_ ? from + int64_t{first} * g.in_width : packed,
                           .output = planes,
                           .activation = activation,
                           .out_channels = g.out_channels,
                           .depth = static_cast<int>(g.Depth()),
                           .width = g.out_width,
                           .pitch = pitch_,
                           .scratch = sums};
    context.kernels.conv_f32(args, 0, rows);
  };
  // Each slot has scratch of its own.
  const int64_t slot_bytes = ScratchBytes(1);
  ForEachItem(context, items, [&](int64_t slot, int64_t item) {
    std::byte* scratch = context.scratch + slot * slot_bytes;
    auto* packed = reinterpret_cast<float*>(scratch);
    std::byte* after = scratch + (InputValues() * sizeof(float) + kAlignment - 1) / kAlignment * kAlignment;
    auto* sums = reinterpret_cast<float*>(after);
    auto** planes =
        reinterpret_cast<float**>(sums + ConvScratchValues(g.out_channels, static_cast<int>(g.Depth())));
    run_band(item, packed, sums, planes);
  });
}

namespace {

Parameter<float> ReadWeight(OperationReader& reader) {
  const int channels = reader.OnlyRealInput().channels;
  const auto shape = reader.TensorShape("weight", 4);
  return reader.Floats("weight", {shape[0], channels, shape[2], shape[3]});
}

Parameter<float> ReadBias(OperationReader& reader) {
  if (!reader.HasTensor("bias")) return {};
  return reader.Floats("bias", {reader.TensorShape("weight", 4)[0]});
}

ConvGeometry ReadConv2dGeometry(OperationReader& reader) {
  const auto shape = reader.TensorShape("weight", 4);
  const auto dilation = reader.Has("dilation") ? reader.IntPair("dilation", 1, 255) : std::pair(1, 1);
  return ReadConvGeometry(reader, shape[0], shape[2], shape[3], dilation);
}

}  // namespace

Conv2d::Conv2d(OperationReader& reader)
    : weight_(ReadWeight(reader)),
      bias_(ReadBias(reader)),
      geometry_(ReadConv2dGeometry(reader)),
      dense_(geometry_) {
  cost = {Arithmetic::kReal, geometry_.Macs(), reader.parameters(), 0};
}

void Conv2d::Load(EngineMode mode, const KernelSet& kernels) {
  weight_.Load();
  bias_.Load();
  LoadActivation(mode, kernels);
  if (mode == EngineMode::kFast) dense_.Load(weight_.data(), kernels);
}

int64_t Conv2d::ScratchBytes(int threads) const { return dense_.ScratchBytes(threads); }

void Conv2d::Run(const RunContext& context, Tensors inputs, Tensors outputs) const {
  dense_.Run(context, bias_.data(), activation(), inputs[0], outputs);
}

void Conv2d::RunReference(const RunContext& context, Tensors inputs, Tensors outputs) const {
  const ConvGeometry& g = geometry_;
  PlainConvolution(
      context, g, inputs[0], outputs[0],
      [&](int64_t o, int i, int ky, int kx) {
        return weight_[((o * g.in_channels + i) * g.kernel_h + ky) * g.kernel_w + kx];
      },
      [&](int o, double sum) { return static_cast<float>(bias_.data() ? sum + double{bias_[o]} : sum); });
}

namespace {

ConvGeometry JoinGeometry(const std::vector<std::unique_ptr<Conv2d>>& parts) {
  ConvGeometry joined = parts[0]->geometry();
  joined.out_channels = 0;
  for (const auto& part : parts) joined.out_channels += part->geometry().out_channels;
  return joined;
}

}  // namespace

ConvGroup::ConvGroup(std::vector<std::unique_ptr<Conv2d>> parts)
    : parts_(std::move(parts)), dense_(JoinGeometry(parts_)) {
  cost.arithmetic = Arithmetic::kReal;
  for (const auto& part : parts_) {
    cost.macs += part->cost.macs;
    cost.parameters += part->cost.parameters;
  }
}

void ConvGroup::Load(EngineMode mode, const KernelSet& kernels) {
  const ConvGeometry g = JoinGeometry(parts_);
  AlignedBuffer<float> weight(g.out_channels * g.Depth());
  bias_ = AlignedBuffer<float>(g.out_channels);
  float* to = weight.data();
  float* bias = bias_.data();
  for (const auto& part : parts_) {
    part->Load(mode, kernels);
    const int channels = part->geometry().out_channels;
    to = std::copy_n(part->weight(), channels * g.Depth(), to);
    bias = part->bias() ? std::copy_n(part->bias(), channels, bias) : std::fill_n(bias, channels, 0.0f);
  }
  dense_.Load(weight.data(), kernels);
}

int64_t ConvGroup::ScratchBytes(int threads) const { return dense_.ScratchBytes(threads); }

void ConvGroup::Run(const RunContext& context, Tensors inputs, Tensors outputs) const {
  dense_.Run(context, bias_.data(), {}, inputs[0], outputs);
}

}  // namespace bdc
