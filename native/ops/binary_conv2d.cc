#include "ops/binary_conv2d.h"

#include <algorithm>
#include <string>

#include "ops/plain_convolution.h"
#include "ops/planes.h"
#include "ops/quantization.h"

namespace bdc {

BinaryWeights::BinaryWeights(OperationReader& reader, int in_channels) {
  const int declared = reader.Int("in_channels", 1, 1 << 20);
  if (declared != in_channels) {
    reader.Fail("MODEL_ATTRIBUTE", "attributes.in_channels",
                std::to_string(in_channels) + ", the input's channels", std::to_string(declared));
  }
  const auto shape = reader.TensorShape("weight", 4);
  out_channels = shape[0];
  kernel_h = shape[1];
  kernel_w = shape[2];
  words = WordsOf(in_channels);
  weight = reader.PackedBits("weight", {out_channels, kernel_h, kernel_w, words}, in_channels);
  scale = reader.Floats("scale", {out_channels});
  if (reader.HasTensor("bias")) bias = reader.Floats("bias", {out_channels});
}

void BinaryWeights::Load() {
  weight.Load();
  scale.Load();
  bias.Load();
}

namespace {

OperationCost CostOf(const OperationReader& reader, const BinaryWeights& weights, const ConvGeometry& g,
                     Arithmetic arithmetic) {
  const int64_t stored_words = weights.out_channels * weights.kernel_h * weights.kernel_w * weights.words;
  const int64_t bits = g.Depth() * g.out_channels;
  return {arithmetic, g.Macs(), reader.parameters() - stored_words + bits, bits};
}

/// Attribute `activation_scale`, 0 if there is none.
float ReadPointwiseScale(OperationReader& reader, const ConvGeometry& g) {
  if (!reader.Has("activation_scale")) return 0.0f;
  const float scale = ReadActivationScale(reader);
  const std::string field = "attributes.activation_scale";
  if (!g.IsPointwise()) {
    reader.Fail("MODEL_ATTRIBUTE", field, "a 1×1 convolution of stride 1 without padding",
                std::to_string(g.kernel_h) + "×" + std::to_string(g.kernel_w) + " of stride " +
                    std::to_string(g.stride_h) + "×" + std::to_string(g.stride_w) + ", padding " +
                    std::to_string(g.pad_h) + "×" + std::to_string(g.pad_w));
  }
  // Sums stay below 2^24, so that float32 holds each of them exactly.
  constexpr int kMostChannels = 1 << 17;
  if (g.in_channels > kMostChannels) {
    reader.Fail("MODEL_ATTRIBUTE", field, "at most " + std::to_string(kMostChannels) + " input channels",
                std::to_string(g.in_channels));
  }
  return scale;
}

}  // namespace

BinaryConv2d::BinaryConv2d(OperationReader& reader)
    : weights_(reader, reader.Input(0).channels),
      geometry_(ReadConvGeometry(reader, weights_.out_channels, weights_.kernel_h, weights_.kernel_w)) {
  // Counts of so many bits are exact in float32, and twice as many fit an int32.
  constexpr int64_t kMostTaps = 1 << 24;
  if (geometry_.Depth() > kMostTaps) {
    reader.Fail("MODEL_TENSOR_SHAPE", "tensors.weight",
                "at most " + std::to_string(kMostTaps) + " bits for an output channel",
                std::to_string(geometry_.Depth()));
  }
  cost = CostOf(reader, weights_, geometry_, Arithmetic::kBinary);
}

void BinaryConv2d::Load(EngineMode mode, const KernelSet& kernels) {
  weights_.Load();
  LoadActivation(mode, kernels);
}

void BinaryConv2d::Run(const RunContext& context, Tensors inputs, Tensors outputs) const {
  const ConvGeometry& g = geometry_;
  const Tensor& y = outputs[0];
  const int64_t image_words = inputs[0].plane() * weights_.words;
  const auto convolve = [&](int64_t image, int64_t begin, int64_t end) {
    const BinaryConv2dArgs args{.input = inputs[0].bits() + image * image_words,
                                .weight = weights_.weight.data(),
                                .scale = weights_.scale.data(),
                                .bias = weights_.bias.data(),
                                .output = y.f32() + image * y.image(),
                                .in_channels = g.in_channels,
                                .in_height = g.in_height,
                                .in_width = g.in_width,
                                .out_channels = g.out_channels,
                                .out_height = g.out_height,
                                .out_width = g.out_width,
                                .kernel_h = g.kernel_h,
                                .kernel_w = g.kernel_w,
                                .stride_h = g.stride_h,
                                .stride_w = g.stride_w,
                                .pad_h = g.pad_h,
                                .pad_w = g.pad_w};
    context.kernels.binary_conv2d(args, static_cast<int>(begin), static_cast<int>(end));
    if (!has_activation()) return;
    // These rows are still in the cache.
    const ConvActivation a = activation();
    for (int o = 0; o < y.channels; ++o) {
      float* rows = args.output + o * y.plane() + begin * y.width;
      const int64_t count = (end - begin) * y.width;
      if (a.bias_in) {
        context.kernels.planes.rprelu(rows, count, a.bias_in[o], a.slope[o], a.bias_out[o]);
      } else {
        context.kernels.planes.prelu(rows, count, a.slope[o]);
      }
    }
  };
  ForEachImageRow(context, y.batch, y.height, int64_t{y.channels} * y.width, convolve);
}

void BinaryConv2d::RunReference(const RunContext& context, Tensors inputs, Tensors outputs) const {
  const ConvGeometry& g = geometry_;
  const Tensor& x = inputs[0];
  const Tensor& y = outputs[0];
  const int64_t words = weights_.words;
  ForEachPlane(context, int64_t{y.batch} * y.channels, g.Columns() * g.Depth(), [&](int64_t plane) {
    const int64_t o = plane % y.channels;
    const uint64_t* image = x.bits() + plane / y.channels * x.plane() * words;
    float* out = y.f32() + plane * y.plane();
    for (int oy = 0; oy < g.out_height; ++oy) {
      for (int ox = 0; ox < g.out_width; ++ox) {
        int sum = 0;
        for (int ky = 0; ky < g.kernel_h; ++ky) {
          for (int kx = 0; kx < g.kernel_w; ++kx) {
            const int iy = oy * g.stride_h - g.pad_h + ky, ix = ox * g.stride_w - g.pad_w + kx;
            if (iy < 0 || iy >= g.in_height || ix < 0 || ix >= g.in_width) continue;
            const uint64_t* pixel = image + (int64_t{iy} * g.in_width + ix) * words;
            const uint64_t* tap = weights_.weight.data() + ((o * g.kernel_h + ky) * g.kernel_w + kx) * words;
            for (int i = 0; i < g.in_channels; ++i) {
              const bool differ = ((pixel[i / 64] ^ tap[i / 64]) >> (i % 64)) & 1;
              sum += differ ? -1 : 1;
            }
          }
        }
        const float scaled = weights_.scale[o] * static_cast<float>(sum);
        *out++ = weights_.bias.data() ? scaled + weights_.bias[o] : scaled;
      }
    }
  });
}

BinaryWeightConv2d::BinaryWeightConv2d(OperationReader& reader)
    : weights_(reader, reader.Input(0).channels),
      geometry_(ReadConvGeometry(reader, weights_.out_channels, weights_.kernel_h, weights_.kernel_w)),
      activation_scale_(ReadPointwiseScale(reader, geometry_)),
      dense_(geometry_) {
  dense_.Check(reader);
  cost = CostOf(
      reader, weights_, geometry_,
      input_factor() != 0.0f ? Arithmetic::kBinaryWeightInt8Input : Arithmetic::kBinaryWeightRealInput);
}

bool BinaryWeightConv2d::Fuses(const ChannelActivation& activation) const {
  return !is_pointwise() || dynamic_cast<const RPReLU*>(&activation) != nullptr;
}

void BinaryWeightConv2d::LoadWeights(EngineMode mode, const KernelSet& kernels) {
  weights_.Load();
  LoadActivation(mode, kernels);
}

void BinaryWeightConv2d::Load(EngineMode mode, const KernelSet& kernels) {
  LoadWeights(mode, kernels);
  if (mode == EngineMode::kReference) return;
  if (is_matrix()) {
    LoadMatrix();
    return;
  }
  const ConvGeometry& g = geometry_;
  AlignedBuffer<float> expanded(g.out_channels * g.Depth());
  float* to = expanded.data();
  for (int o = 0; o < g.out_channels; ++o) {
    for (int i = 0; i < g.in_channels; ++i) {
      for (int ky = 0; ky < g.kernel_h; ++ky) {
        for (int kx = 0; kx < g.kernel_w; ++kx) *to++ = weights_.Sign(o, i, ky, kx) * weights_.scale[o];
      }
    }
  }
  dense_.Load(expanded.data(), *kernels.conv_f32);
}

void BinaryWeightConv2d::LoadMatrix() {
  constexpr int kWords = kColumnBlock / 32;
  const ConvGeometry& g = geometry_;
  const int64_t blocks = (g.out_channels + kColumnBlock - 1) / kColumnBlock;
  negative_ = AlignedBuffer<uint32_t>(blocks * g.in_channels * kWords);
  std::fill_n(negative_.data(), negative_.size(), 0u);
  for (int o = 0; o < g.out_channels; ++o) {
    uint32_t* const block = negative_.data() + int64_t{o / kColumnBlock} * g.in_channels * kWords;
    const int at = o % kColumnBlock;
    for (int i = 0; i < g.in_channels; ++i) {
      if (weights_.Sign(o, i, 0, 0) < 0) block[i * kWords + at / 32] |= 1u << at % 32;
    }
  }
}

int64_t BinaryWeightConv2d::ScratchBytes(int threads) const {
  return is_matrix() ? 0 : dense_.ScratchBytes(threads);
}

void BinaryWeightConv2d::RunPixel(const PlaneKernels& planes, const float* x, float* y) const {
  const ConvGeometry& g = geometry_;
  const ConvActivation a = activation();
  const uint32_t* negative = negative_.data();
  for (int first = 0; first < g.out_channels; first += kColumnBlock) {
    float sums[kColumnBlock] = {};
    planes.add_signed(negative, x, g.in_channels, sums);
    negative += int64_t{g.in_channels} * kColumnBlock / 32;
    const int count = std::min(kColumnBlock, g.out_channels - first);
    for (int i = 0; i < count; ++i) {
      const int o = first + i;
      float t = weights_.scale[o] * sums[i];
      if (weights_.bias.data()) t += weights_.bias[o];
      y[o] = Activated(a, o, t);
    }
  }
}

void BinaryWeightConv2d::Run(const RunContext& context, Tensors inputs, Tensors outputs) const {
  if (is_matrix()) {
    const Tensor& x = inputs[0];
    const Tensor& y = outputs[0];
    for (int64_t image = 0; image < x.batch; ++image) {
      RunPixel(context.kernels.planes, x.f32() + image * x.image(), y.f32() + image * y.image());
    }
    return;
  }
  dense_.Run(context, weights_.bias.data(), {.activation = activation()}, inputs[0], nullptr, outputs);
}

void BinaryWeightConv2d::RunReference(const RunContext& context, Tensors inputs, Tensors outputs) const {
  if (input_factor() != 0.0f) {
    RunQuantized(context, inputs[0], outputs[0]);
    return;
  }
  PlainConvolution(
      context, geometry_, inputs[0], outputs[0],
      [&](int o, int i, int ky, int kx) { return weights_.Sign(o, i, ky, kx); },
      [&](int o, double sum) {
        const double scaled = double{weights_.scale[o]} * sum;
        return static_cast<float>(weights_.bias.data() ? scaled + double{weights_.bias[o]} : scaled);
      });
}

/// As docs/model-format.md states W1A8: the same bits as the kernels give.
void BinaryWeightConv2d::RunQuantized(const RunContext& context, const Tensor& x, const Tensor& y) const {
  const int64_t size = x.plane();
  ForEachPlane(context, int64_t{y.batch} * y.channels, size * x.channels, [&](int64_t plane) {
    const int o = static_cast<int>(plane % y.channels);
    const float* image = x.f32() + plane / y.channels * x.image();
    float* out = y.f32() + plane * size;
    for (int64_t pixel = 0; pixel < size; ++pixel) {
      int32_t sum = 0;
      for (int i = 0; i < x.channels; ++i) {
        const auto q = static_cast<int32_t>(Quantized(image[i * size + pixel], input_factor()));
        sum += weights_.Sign(o, i, 0, 0) > 0 ? q : -q;
      }
      const float scaled = SumScale(o) * static_cast<float>(sum);
      out[pixel] = weights_.bias.data() ? scaled + weights_.bias[o] : scaled;
    }
  });
}

}  // namespace bdc
