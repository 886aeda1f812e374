#include "ops/resampling.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "ops/planes.h"

namespace bdc {
namespace {

/// Where output position `out` lies between two inputs of `size`.
struct Between {
  int low, high;
  float weight;  // of high

  Between(int out, int factor, int size) {
    const float offset = (out % factor + 0.5f) / factor - 0.5f;
    const int shift = offset < 0 ? -1 : 0;
    low = out / factor + shift;
    weight = offset - shift;
    if (low < 0) low = 0, weight = 0.0f;
    high = std::min(low + 1, size - 1);
  }
};

}  // namespace

GlobalAvgPool2d::GlobalAvgPool2d(OperationReader& reader) {
  TensorSpec output = reader.OnlyRealInput();
  output.height = output.width = 1;
  reader.AddOutput(output);
}

void GlobalAvgPool2d::Run(const RunContext& context, Tensors inputs, Tensors outputs) const {
  const Tensor& x = inputs[0];
  const int64_t size = x.plane();
  ForEachPlane(context, int64_t{x.batch} * x.channels, size, [&](int64_t plane) {
    const float* values = x.f32() + x.PlaneStart(plane);
    // Sixteen sums a block, then the blocks: the order of BlockEpilogue::block_sums.
    double sum = 0;
    for (int64_t block = 0; block < size; block += kBlockPixels) {
      const int64_t end = std::min(size, block + kBlockPixels);
      float parts[16] = {};
      int64_t i = block;
      for (; i + 16 <= end; i += 16) {
        for (int k = 0; k < 16; ++k) parts[k] += values[i + k];
      }
      for (int k = 0; i + k < end; ++k) parts[k] += values[i + k];
      for (int width = 8; width > 0; width /= 2) {
        for (int k = 0; k < width; ++k) parts[k] += parts[k + width];
      }
      sum += parts[0];
    }
    outputs[0].f32()[outputs[0].PlaneStart(plane)] = static_cast<float>(sum / static_cast<double>(size));
  });
}

AvgPool2d::AvgPool2d(OperationReader& reader) {
  TensorSpec output = reader.OnlyRealInput();
  std::tie(kernel_h_, kernel_w_) = reader.IntPair("kernel", 1, 4096);
  std::tie(stride_h_, stride_w_) = reader.IntPair("stride", 1, 4096);
  if (kernel_h_ > output.height || kernel_w_ > output.width) {
    reader.Fail("MODEL_ATTRIBUTE", "attributes.kernel", "a window no larger than the input",
                std::to_string(kernel_h_) + "×" + std::to_string(kernel_w_) + " on " +
                    std::to_string(output.height) + "×" + std::to_string(output.width));
  }
  const int64_t in_pixels = output.Plane();
  output.height = (output.height - kernel_h_) / stride_h_ + 1;
  output.width = (output.width - kernel_w_) / stride_w_ + 1;
  SetSizes(in_pixels, output.Plane());
  reader.AddOutput(output);
}

void AvgPool2d::Run(const RunContext& context, Tensors inputs, Tensors outputs) const {
  const Tensor& x = inputs[0];
  const Tensor& y = outputs[0];
  const float area = static_cast<float>(kernel_h_ * kernel_w_);
  const bool is_square_of_two = kernel_h_ == 2 && kernel_w_ == 2 && stride_h_ == 2 && stride_w_ == 2;
  MakePlanes(context, inputs, outputs, [&](const float* from, float* to, std::byte*) {
    for (int i = 0; i < y.height; ++i) {
      if (is_square_of_two) {
        const float* row = from + int64_t{i} * 2 * x.width;
        context.kernels.planes.average_squares(row, row + x.width, y.width, to + int64_t{i} * y.width);
        continue;
      }
      for (int j = 0; j < y.width; ++j) {
        const float* window = from + int64_t{i} * stride_h_ * x.width + j * stride_w_;
        float sum = 0;
        for (int a = 0; a < kernel_h_; ++a) {
          for (int b = 0; b < kernel_w_; ++b) sum += window[int64_t{a} * x.width + b];
        }
        to[int64_t{i} * y.width + j] = sum / area;
      }
    }
  });
}

MaxPool2d::MaxPool2d(OperationReader& reader) {
  TensorSpec output = reader.OnlyRealInput();
  std::tie(kernel_h_, kernel_w_) = reader.IntPair("kernel", 1, 4096);
  std::tie(stride_h_, stride_w_) = reader.IntPair("stride", 1, 4096);
  std::tie(padding_h_, padding_w_) = reader.IntPair("padding", 0, 2048);
  // So every window has a pixel of the image in it.
  if (2 * padding_h_ > kernel_h_ || 2 * padding_w_ > kernel_w_) {
    reader.Fail("MODEL_ATTRIBUTE", "attributes.padding", "at most half the kernel",
                std::to_string(padding_h_) + "×" + std::to_string(padding_w_));
  }
  output.height += 2 * padding_h_ - kernel_h_;
  output.width += 2 * padding_w_ - kernel_w_;
  if (output.height < 0 || output.width < 0) {
    reader.Fail("MODEL_ATTRIBUTE", "attributes.kernel", "a window no larger than the padded input",
                std::to_string(kernel_h_) + "×" + std::to_string(kernel_w_));
  }
  output.height = output.height / stride_h_ + 1;
  output.width = output.width / stride_w_ + 1;
  reader.AddOutput(output);
}

void MaxPool2d::Run(const RunContext& context, Tensors inputs, Tensors outputs) const {
  const Tensor& x = inputs[0];
  const Tensor& y = outputs[0];
  ForEachPlane(context, int64_t{x.batch} * x.channels, x.plane(), [&](int64_t plane) {
    const float* from = x.f32() + x.PlaneStart(plane);
    float* to = y.f32() + y.PlaneStart(plane);
    for (int i = 0; i < y.height; ++i) {
      const int top = i * stride_h_ - padding_h_;
      for (int j = 0; j < y.width; ++j, ++to) {
        const int left = j * stride_w_ - padding_w_;
        const int right = std::min(left + kernel_w_, x.width);
        float largest = -std::numeric_limits<float>::infinity();
        for (int row = std::max(top, 0); row < std::min(top + kernel_h_, x.height); ++row) {
          const float* values = from + int64_t{row} * x.width;
          for (int column = std::max(left, 0); column < right; ++column)
            largest = std::max(largest, values[column]);
        }
        *to = largest;
      }
    }
  });
}

Upsample2d::Upsample2d(OperationReader& reader) {
  TensorSpec output = reader.OnlyRealInput();
  factor_ = reader.Int("factor", 1, 16);
  bilinear_ = reader.Choice("mode", {"bilinear", "nearest"}) == "bilinear";
  if (output.height > 1 << 20 || output.width > 1 << 20) {
    reader.Fail("MODEL_SHAPE", "input", "at most 2^20 rows and columns",
                std::to_string(output.height) + "×" + std::to_string(output.width));
  }
  const int64_t in_pixels = output.Plane();
  output.height *= factor_;
  output.width *= factor_;
  out_width_ = output.width;
  const int64_t rows_bytes = 2 * int64_t{out_width_} * int64_t{sizeof(float)};
  SetSizes(in_pixels, output.Plane(), bilinear_ ? rows_bytes : 0);
  reader.AddOutput(output);
}

/// Stretches each input row, which two or more output rows are blended of.
void Upsample2d::Bilinear(const PlaneKernels& planes, const float* from, float* to, const Tensor& x,
                          float* stretched) const {
  int64_t held[2] = {-1, -1};
  const auto row_of = [&](int row) {
    float* const out = stretched + row % 2 * int64_t{out_width_};
    if (held[row % 2] != row) StretchRow(planes, from + int64_t{row} * x.width, x.width, out);
    held[row % 2] = row;
    return out;
  };
  for (int i = 0; i < x.height * factor_; ++i, to += out_width_) {
    const Between rows(i, factor_, x.height);
    planes.blend(row_of(rows.low), row_of(rows.high), rows.weight, out_width_, to);
  }
}

void Upsample2d::StretchRow(const PlaneKernels& planes, const float* x, int width, float* y) const {
  if (factor_ == 2) {
    planes.stretch_twice(x, width, y);
    return;
  }
  for (int j = 0; j < out_width_; ++j) {
    const Between columns(j, factor_, width);
    y[j] = (1 - columns.weight) * x[columns.low] + columns.weight * x[columns.high];
  }
}

/// The same of finite values, one by one, and the nearest pixel.
void Upsample2d::Plain(const float* from, float* to, const Tensor& x) const {
  for (int i = 0; i < x.height * factor_; ++i) {
    for (int j = 0; j < out_width_; ++j, ++to) {
      if (!bilinear_) {
        *to = from[int64_t{i / factor_} * x.width + j / factor_];
        continue;
      }
      const Between rows(i, factor_, x.height), columns(j, factor_, x.width);
      const float* low = from + int64_t{rows.low} * x.width;
      const float* high = from + int64_t{rows.high} * x.width;
      *to =
          (1 - rows.weight) * ((1 - columns.weight) * low[columns.low] + columns.weight * low[columns.high]) +
          rows.weight * ((1 - columns.weight) * high[columns.low] + columns.weight * high[columns.high]);
    }
  }
}

void Upsample2d::Run(const RunContext& context, Tensors inputs, Tensors outputs) const {
  MakePlanes(context, inputs, outputs, [&](const float* from, float* to, std::byte* rows) {
    if (bilinear_) {
      Bilinear(context.kernels.planes, from, to, inputs[0], reinterpret_cast<float*>(rows));
    } else {
      Plain(from, to, inputs[0]);
    }
  });
}

void Upsample2d::RunReference(const RunContext& context, Tensors inputs, Tensors outputs) const {
  MakePlanes(context, inputs, outputs,
             [&](const float* from, float* to, std::byte*) { Plain(from, to, inputs[0]); });
}

}  // namespace bdc
