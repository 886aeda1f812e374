#include <gtest/gtest.h>

#include <cmath>

#include "graph_tester.h"
#include "kernel_tester.h"
#include "runtime/error.h"

namespace bdc {
namespace {

struct Shape {
  int in_channels, height, width, out_channels, kernel, stride, dilation;
};

/// One int8 convolution of two images of random values, some beyond what int8 holds, some no numbers.
ModelBuilder Layer(const Shape& s, std::vector<int8_t> weight = {}) {
  ModelBuilder model;
  model.Input("x", {2, s.in_channels, s.height, s.width});
  const size_t count = size_t(s.out_channels) * s.in_channels * s.kernel * s.kernel;
  if (weight.empty()) {
    for (float w : RandomFloats(count, 1)) weight.push_back(static_cast<int8_t>(std::nearbyint(w * 127)));
  }
  model.Store("w", "I8", {s.out_channels, s.in_channels, s.kernel, s.kernel}, weight);
  model.Store("s", "F32", {s.out_channels}, RandomFloats(s.out_channels, 2));
  model.Store("b", "F32", {s.out_channels}, RandomFloats(s.out_channels, 3));
  auto& conv = model.Add("conv2d", "y", {"x"});
  const double stride = s.stride, padding = s.kernel / 2 * s.dilation, dilation = s.dilation;
  conv.tensors = {{"weight", "w"}, {"scale", "s"}, {"bias", "b"}};
  conv.attributes = {{"stride", std::vector<double>{stride, stride}},
                     {"padding", std::vector<double>{padding, padding}},
                     {"dilation", std::vector<double>{dilation, dilation}},
                     {"activation_scale", 0.006}};
  return model;
}

TEST(Int8Conv2dTest, EveryInstructionSetAndNumberOfThreadsGivesTheReferencesBits) {
  for (const Shape& s : {Shape{3, 20, 31, 16, 7, 2, 1},
                         {1, 1, 1, 1, 1, 1, 1},
                         {64, 9, 14, 32, 3, 1, 1},
                         {64, 9, 14, 64, 3, 2, 1},
                         {64, 9, 14, 50, 3, 1, 1},
                         {64, 13, 31, 144, 1, 1, 1},
                         {64, 9, 14, 9, 3, 1, 1},
                         {128, 7, 22, 96, 1, 1, 1},
                         {128, 7, 22, 32, 1, 2, 1},
                         {64, 13, 13, 32, 3, 1, 6},
                         {66, 8, 9, 33, 3, 1, 1},
                         {600, 4, 5, 40, 3, 1, 1}}) {
    SCOPED_TRACE(std::to_string(s.in_channels) + " to " + std::to_string(s.out_channels) + ", " +
                 std::to_string(s.kernel));
    const ModelBuilder model = Layer(s);
    std::vector<float> values = RandomFloats(size_t{2} * s.in_channels * s.height * s.width, 4);
    values[0] = std::nanf("");
    values[values.size() / 2] = 0.015f;  // 2½ steps
    const std::vector<Feed> feed = {{{2, s.in_channels, s.height, s.width}, values}};
    const auto expected = RunModel(model, feed, EngineMode::kReference, Isa::kPortable, 1, nullptr).at("y");
    ForEachIsa([&](const KernelSet& kernels) {
      for (int threads : {1, 3}) {
        const auto found = RunModel(model, feed, EngineMode::kFast, kernels.isa, threads, nullptr).at("y");
        ASSERT_EQ(found, expected) << threads << " threads";
      }
    });
  }
}

std::string CodeOf(const ModelBuilder& model) {
  try {
    model.Build();
  } catch (const Error& error) {
    return error.code();
  }
  return "none";
}

TEST(Int8Conv2dTest, RefusesWhatItsSumsCanNotHold) {
  const Shape s{2, 3, 3, 1, 1, 1, 1};
  EXPECT_EQ(CodeOf(Layer(s)), "none");
  EXPECT_EQ(CodeOf(Layer(s, {-127, -128})), "MODEL_TENSOR_VALUE");
  EXPECT_EQ(CodeOf(Layer({1 << 18, 1, 1, 1, 1, 1, 1})), "MODEL_TENSOR_SHAPE");
  ModelBuilder no_scale = Layer(s);
  no_scale.model().operations[0].tensors.erase("scale");
  EXPECT_EQ(CodeOf(no_scale), "MODEL_TENSOR_MISSING");
  ModelBuilder negative = Layer(s);
  negative.model().operations[0].attributes["activation_scale"] = -1.0;
  EXPECT_EQ(CodeOf(negative), "MODEL_ATTRIBUTE");
  ModelBuilder without = Layer(s);
  without.model().operations[0].attributes.erase("activation_scale");
  EXPECT_EQ(CodeOf(without), "MODEL_TENSOR_TYPE");
}

}  // namespace
}  // namespace bdc
