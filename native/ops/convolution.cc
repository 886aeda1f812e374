#include "ops/convolution.h"

#include <algorithm>
#include <tuple>

#include "ops/plain_convolution.h"

namespace bdc {
namespace {

// A tile's unfolded input should stay in the second-level cache while every output channel passes over it.
constexpr int64_t kTileBytes = 256 * 1024;
constexpr int64_t kSmallestTile = 64, kLargestTile = 1024;

int64_t TileOf(const ConvGeometry& g) {
  const int64_t columns = kTileBytes / (g.Depth() * static_cast<int64_t>(sizeof(float)));
  return std::clamp(columns / kSmallestTile * kSmallestTile, kSmallestTile, kLargestTile);
}

int OutputSize(int input, int padding, int kernel, int stride) {
  return (input + 2 * padding - kernel) / stride + 1;
}

}  // namespace

ConvGeometry ReadConvGeometry(OperationReader& reader, int64_t out_channels, int64_t kernel_h,
                              int64_t kernel_w) {
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
  if (g.pad_h >= g.kernel_h || g.pad_w >= g.kernel_w) {
    reader.Fail("MODEL_ATTRIBUTE", "attributes.padding", "less than the kernel",
                std::to_string(g.pad_h) + ", " + std::to_string(g.pad_w));
  }
  if (g.in_height + 2 * g.pad_h < g.kernel_h || g.in_width + 2 * g.pad_w < g.kernel_w) {
    reader.Fail("MODEL_SHAPE", "input", "an image no smaller than the kernel",
                std::to_string(g.in_height) + "×" + std::to_string(g.in_width));
  }
  g.out_height = OutputSize(g.in_height, g.pad_h, g.kernel_h, g.stride_h);
  g.out_width = OutputSize(g.in_width, g.pad_w, g.kernel_w, g.stride_w);
  spec.type = ElementType::kFloat32;
  spec.channels = g.out_channels;
  spec.height = g.out_height;
  spec.width = g.out_width;
  reader.AddOutput(spec);
  return g;
}

DenseConvolution::DenseConvolution(const ConvGeometry& geometry)
    : geometry_(geometry), tile_(TileOf(geometry)) {}

int64_t DenseConvolution::ScratchBytes(int threads) const {
  return geometry_.IsPointwise() ? 0 : threads * tile_ * geometry_.Depth() * int64_t{sizeof(float)};
}

void DenseConvolution::Unfold(const float* image, int64_t begin, int64_t end, float* unfolded) const {
  const ConvGeometry& g = geometry_;
  float* row = unfolded;
  for (int i = 0; i < g.in_channels; ++i) {
    for (int ky = 0; ky < g.kernel_h; ++ky) {
      for (int kx = 0; kx < g.kernel_w; ++kx, row += tile_) {
        // Output columns whose tap lies inside the image: left ≤ ox < right.
        const int reach = g.in_width - 1 + g.pad_w - kx;
        const int left = std::max(0, (g.pad_w - kx + g.stride_w - 1) / g.stride_w);
        const int right = reach < 0 ? 0 : std::min(g.out_width, reach / g.stride_w + 1);
        for (int64_t at = begin; at < end;) {
          const int oy = static_cast<int>(at / g.out_width), first = static_cast<int>(at % g.out_width);
          const int last = static_cast<int>(std::min<int64_t>(g.out_width, first + end - at));
          const int iy = oy * g.stride_h - g.pad_h + ky;
          float* to = row + (at - begin) - first;
          at += last - first;
          if (iy < 0 || iy >= g.in_height) {
            std::fill(to + first, to + last, 0.0f);
            continue;
          }
          const float* from = image + (int64_t{i} * g.in_height + iy) * g.in_width - g.pad_w + kx;
          const int inside = std::clamp(left, first, last), outside = std::clamp(right, inside, last);
          std::fill(to + first, to + inside, 0.0f);
          for (int ox = inside; ox < outside; ++ox) to[ox] = from[int64_t{ox} * g.stride_w];
          std::fill(to + outside, to + last, 0.0f);
        }
      }
    }
  }
}

void DenseConvolution::Run(const RunContext& context, const float* weight, const float* bias, const Tensor& x,
                           const Tensor& y) const {
  const ConvGeometry& g = geometry_;
  const int64_t columns = g.Columns(), tiles = (columns + tile_ - 1) / tile_, items = tiles * x.batch;
  const bool pointwise = g.IsPointwise();
  const auto run_tile = [&](int64_t item, float* unfolded) {
    const int64_t image = item / tiles, begin = item % tiles * tile_, end = std::min(columns, begin + tile_);
    const float* from = x.f32() + image * x.image();
    if (!pointwise) Unfold(from, begin, end, unfolded);
    const GemmArgs args{.a = weight,
                        .b = pointwise ? from + begin : unfolded,
                        .bias = bias,
                        .c = y.f32() + image * y.image() + begin,
                        .rows = g.out_channels,
                        .depth = static_cast<int>(g.Depth()),
                        .b_stride = pointwise ? columns : tile_,
                        .c_stride = columns};
    context.kernels.gemm_f32(args, 0, end - begin);
  };
  // Each slot has scratch of its own and takes every `slots`-th tile.
  const int64_t slots = std::min<int64_t>(context.pool.size(), items);
  context.pool.ParallelFor(0, slots, 1, [&](int64_t from, int64_t to) {
    for (int64_t slot = from; slot < to; ++slot) {
      float* unfolded = reinterpret_cast<float*>(context.scratch) + slot * tile_ * g.Depth();
      for (int64_t item = slot; item < items; item += slots) run_tile(item, unfolded);
    }
  });
}

Conv2d::Conv2d(OperationReader& reader) {
  const TensorSpec& input = reader.OnlyRealInput();
  const auto shape = reader.TensorShape("weight", 4);
  weight_ = reader.Floats("weight", {shape[0], input.channels, shape[2], shape[3]});
  if (reader.HasTensor("bias")) bias_ = reader.Floats("bias", {shape[0]});
  geometry_ = ReadConvGeometry(reader, shape[0], shape[2], shape[3]);
  cost = {Arithmetic::kReal, geometry_.Macs(), reader.parameters(), 0};
}

void Conv2d::Load(EngineMode) {
  weight_.Load();
  bias_.Load();
}

int64_t Conv2d::ScratchBytes(int threads) const { return DenseConvolution(geometry_).ScratchBytes(threads); }

void Conv2d::Run(const RunContext& context, Tensors inputs, Tensors outputs) const {
  DenseConvolution(geometry_).Run(context, weight_.data(), bias_.data(), inputs[0], outputs[0]);
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

}  // namespace bdc
