#include "ops/channels.h"

#include <cmath>
#include <cstring>

#include "ops/planes.h"

namespace bdc {
namespace {

/// Copies `from` into `to`'s channels [at, at + from.channels), or back.
void CopyChannels(const RunContext& context, const Tensor& part, const Tensor& whole, int64_t at,
                  bool into_whole) {
  const int64_t size = part.plane(), bytes = PlaneBytes(part.type, size);
  ForEachPlane(context, int64_t{part.batch} * part.channels, size, [&](int64_t plane) {
    const int64_t image = plane / part.channels, channel = plane % part.channels;
    void* a = part.at(part.PlaneStart(plane));
    void* b = whole.at(image * whole.image() + (at + channel) * size);
    std::memcpy(into_whole ? b : a, into_whole ? a : b, bytes);
  });
}

}  // namespace

Concat::Concat(OperationReader& reader) {
  reader.ExpectInputs(1, 1024);
  TensorSpec output = reader.Input(0, ElementType::kFloat32);
  int64_t channels = output.channels;
  for (size_t i = 1; i < reader.input_count(); ++i) {
    const TensorSpec& other = reader.Input(i, ElementType::kFloat32);
    if (other.batch != output.batch || other.height != output.height || other.width != output.width) {
      reader.Fail("MODEL_SHAPE", "inputs[" + std::to_string(i) + "]",
                  "batch, height and width of inputs[0], " + std::to_string(output.height) + "×" +
                      std::to_string(output.width),
                  std::to_string(other.height) + "×" + std::to_string(other.width) +
                      (other.batch == output.batch ? "" : " with another batch"));
    }
    channels += other.channels;
  }
  if (channels > 1 << 20) {
    reader.Fail("MODEL_SHAPE", "output", "at most 2^20 channels", std::to_string(channels));
  }
  output.channels = static_cast<int>(channels);
  reader.AddOutput(output);
}

void Concat::Run(const RunContext& context, Tensors inputs, Tensors outputs) const {
  int64_t at = 0;
  for (const Tensor& input : inputs) {
    CopyChannels(context, input, outputs[0], at, true);
    at += input.channels;
  }
}

Split::Split(OperationReader& reader) {
  TensorSpec output = reader.OnlyRealInput();
  const int channels = output.channels;
  double sum = 0;
  for (double size : reader.Numbers("sizes")) {
    if (!(size >= 1 && size <= channels) || size != std::floor(size)) {
      reader.Fail("MODEL_ATTRIBUTE", "attributes.sizes", "integers in 1…" + std::to_string(channels),
                  std::to_string(size));
    }
    sum += size;
    output.channels = static_cast<int>(size);
    reader.AddOutput(output);
  }
  if (sum != channels) {
    reader.Fail("MODEL_ATTRIBUTE", "attributes.sizes",
                "a sum of " + std::to_string(channels) + ", the input's channels", std::to_string(sum));
  }
}

void Split::Run(const RunContext& context, Tensors inputs, Tensors outputs) const {
  int64_t at = 0;
  for (const Tensor& output : outputs) {
    CopyChannels(context, output, inputs[0], at, false);
    at += output.channels;
  }
}

}  // namespace bdc
