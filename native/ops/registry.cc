#include "ops/registry.h"

#include <map>

#include "ops/activations.h"
#include "ops/align_previous.h"
#include "ops/binary_conv2d.h"
#include "ops/camera_parameters.h"
#include "ops/channels.h"
#include "ops/convolution.h"
#include "ops/int8_conv2d.h"
#include "ops/lift_splat.h"
#include "ops/occupancy_argmax.h"
#include "ops/resampling.h"
#include "ops/sign.h"
#include "ops/softmax.h"
#include "ops/stereo_cost_volume.h"
#include "ops/sums.h"

namespace bdc {
namespace {

using Make = std::unique_ptr<Operation> (*)(OperationReader&);

template <typename T>
std::unique_ptr<Operation> New(OperationReader& reader) {
  return std::make_unique<T>(reader);
}

std::unique_ptr<Operation> NewConv2d(OperationReader& reader) {
  if (reader.Has("activation_scale")) return std::make_unique<Int8Conv2d>(reader);
  return std::make_unique<Conv2d>(reader);
}

std::unique_ptr<Operation> NewBinaryConv2d(OperationReader& reader) {
  reader.ExpectInputs(1, 1);
  switch (reader.Input(0).type) {
    case ElementType::kBits:
      if (reader.Has("activation_scale")) {
        reader.Fail("MODEL_ATTRIBUTE", "attributes.activation_scale",
                    "a real input: bits have no scale of their own", "bits");
      }
      return std::make_unique<BinaryConv2d>(reader);
    case ElementType::kFloat32:
      return std::make_unique<BinaryWeightConv2d>(reader);
    default:
      break;
  }
  reader.Fail("MODEL_INPUT_TYPE", "inputs[0]", "bits or real", "u8");
}

const std::map<std::string, Make, std::less<>>& Registry() {
  static const std::map<std::string, Make, std::less<>> registry = {
      {"conv2d", NewConv2d},
      {"sign", New<Sign>},
      {"binary_conv2d", NewBinaryConv2d},
      {"rprelu", New<RPReLU>},
      {"prelu", New<PReLU>},
      {"relu", New<ReLU>},
      {"sigmoid", New<Sigmoid>},
      {"softplus", New<Softplus>},
      {"batch_norm", New<BatchNorm>},
      {"channel_gate", New<ChannelGate>},
      {"channel_offset", New<ChannelOffset>},
      {"global_avg_pool2d", New<GlobalAvgPool2d>},
      {"avg_pool2d", New<AvgPool2d>},
      {"max_pool2d", New<MaxPool2d>},
      {"upsample2d", New<Upsample2d>},
      {"add",
       [](OperationReader& reader) -> std::unique_ptr<Operation> {
         return std::make_unique<Sum>(reader, Sum::Kind::kAdd);
       }},
      {"average",
       [](OperationReader& reader) -> std::unique_ptr<Operation> {
         return std::make_unique<Sum>(reader, Sum::Kind::kAverage);
       }},
      {"concat", New<Concat>},
      {"split", New<Split>},
      {"softmax", New<Softmax>},
      {"lift_splat", New<LiftSplat>},
      {"align_previous", New<AlignPrevious>},
      {"camera_parameters", New<CameraParameters>},
      {"stereo_cost_volume", New<StereoCostVolume>},
      {"occupancy_argmax", New<OccupancyArgmax>},
  };
  return registry;
}

}  // namespace

std::unique_ptr<Operation> MakeOperation(const std::string& op, OperationReader& reader) {
  const auto entry = Registry().find(op);
  if (entry == Registry().end()) {
    std::string known;
    for (const auto& [name, make] : Registry()) known += (known.empty() ? "" : ", ") + name;
    reader.Fail("MODEL_UNKNOWN_OPERATION", "op", "one of " + known, "\"" + op + "\"");
  }
  auto operation = entry->second(reader);
  if (operation->cost.parameters == 0) operation->cost.parameters = reader.parameters();
  return operation;
}

}  // namespace bdc
