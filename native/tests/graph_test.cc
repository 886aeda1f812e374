#include "graph/graph.h"

#include <gtest/gtest.h>

#include <cmath>

#include "graph_tester.h"
#include "kernel_tester.h"
#include "runtime/error.h"

namespace bdc {
namespace {

std::string CodeOf(const ModelBuilder& model) {
  try {
    model.Build();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kModel);
    return error.code();
  }
  return "none";
}

ModelBuilder Chain() {
  ModelBuilder model;
  model.Input("x", {1, 2, 4, 4});
  model.Add("relu", "a", {"x"});
  model.Add("add", "b", {"a", "x"});
  return model;
}

TEST(GraphTest, KnowsHowLongEachTensorLives) {
  const Graph graph = [] {
    ModelBuilder model = Chain();
    model.model().outputs = {{"y", "b"}};
    return model.Build();
  }();
  EXPECT_EQ(graph.tensors()[0].producer, -1);  // x
  EXPECT_EQ(graph.tensors()[0].last_use, 1);
  EXPECT_EQ(graph.tensors()[1].last_use, 1);  // a
  EXPECT_EQ(graph.tensors()[2].last_use, 2);  // b: a graph output
}

TEST(GraphTest, RefusesActivationScalesThatMeanNothing) {
  const auto code_of = [](int kernel, double stride, Attribute scale, bool bits) {
    ModelBuilder model;
    model.Input("x", {1, 2, 4, 4});
    std::string input = "x";
    if (bits) {
      model.Store("t", "F32", {2}, std::vector<float>{0, 0});
      model.Store("d", "I8", {2}, std::vector<int8_t>{1, 1});
      model.Add("sign", "s", {"x"}).tensors = {{"threshold", "t"}, {"direction", "d"}};
      model.model().outputs.clear();
      input = "s";
    }
    model.Store("w", "U64", {1, kernel, kernel, 1}, std::vector<uint64_t>(size_t(kernel) * kernel, 3));
    model.Store("f", "F32", {1}, std::vector<float>{1});
    auto& conv = model.Add("binary_conv2d", "y", {input});
    conv.tensors = {{"weight", "w"}, {"scale", "f"}};
    conv.attributes = {{"in_channels", 2.0},
                       {"stride", std::vector<double>{stride, stride}},
                       {"padding", std::vector<double>{0, 0}},
                       {"activation_scale", scale}};
    return CodeOf(model);
  };
  EXPECT_EQ(code_of(1, 1, 0.5, false), "none");
  EXPECT_EQ(code_of(3, 1, 0.5, false), "MODEL_ATTRIBUTE");
  EXPECT_EQ(code_of(1, 2, 0.5, false), "MODEL_ATTRIBUTE");
  EXPECT_EQ(code_of(1, 1, 0.5, true), "MODEL_ATTRIBUTE");
  for (double scale : {0.0, -1.0, 1e-30, 1e30, std::nan("")}) {
    EXPECT_EQ(code_of(1, 1, scale, false), "MODEL_ATTRIBUTE") << scale;
  }
  EXPECT_EQ(code_of(1, 1, std::string("fine"), false), "MODEL_ATTRIBUTE");
}

TEST(GraphTest, RefusesWhatJavaScriptShouldNeverSend) {
  ModelBuilder grid = Chain();
  grid.model().grid.shape[1] = 0;
  EXPECT_EQ(CodeOf(grid), "MODEL_GRID");
  ModelBuilder cameras = Chain();
  cameras.model().max_cameras = 33;
  EXPECT_EQ(CodeOf(cameras), "MODEL_CAMERAS");
  ModelBuilder deviation = Chain();
  deviation.model().images.std[2] = 0;
  EXPECT_EQ(CodeOf(deviation), "MODEL_INPUT");
  ModelBuilder shape = Chain();
  shape.model().inputs[0].shape = {1, 1 << 20, 1 << 20, 1 << 20};
  EXPECT_EQ(CodeOf(shape), "MODEL_SHAPE");
  ModelBuilder offset = Chain();
  offset.model().data_offset = 1;
  EXPECT_EQ(CodeOf(offset), "MODEL_TRUNCATED");
  ModelBuilder outputs = Chain();
  outputs.model().outputs.clear();
  EXPECT_EQ(CodeOf(outputs), "MODEL_UNKNOWN_OUTPUT");
  ModelBuilder module = Chain();
  module.model().operations[0].module = "wheels";
  EXPECT_EQ(CodeOf(module), "MODEL_MODULE");
}

TEST(GraphTest, RefusesAnUpsamplingThatOverflows) {
  ModelBuilder model;
  model.Input("x", {1, 1, 1 << 14, 1 << 14});
  auto& upsample = model.Add("upsample2d", "y", {"x"});
  upsample.attributes = {{"factor", 16.0}, {"mode", std::string("nearest")}};
  EXPECT_EQ(CodeOf(model), "MODEL_SHAPE");
}

TEST(ExecutorTest, RefusesMoreMemoryThanAnyNetworkNeeds) {
  ModelBuilder model;
  model.Input("x", {TensorSpec::kPerCamera, 1, 1 << 15, 1 << 15});
  model.Add("relu", "y", {"x"});
  EXPECT_THROW(Executor(model.Build(), Isa::kPortable, 1, EngineMode::kFast), Error);
}

TEST(ExecutorTest, KeepsATensorThatIsReadLate) {
  ModelBuilder model;
  model.Input("x", {1, 3, 5, 7});
  std::string last = "x";
  for (int i = 0; i < 12; ++i) {
    const std::string name = std::string(1, 'r') + std::to_string(i);
    model.Add("relu", name, {last});
    last = name;
  }
  model.Add("add", "y", {last, "x"});
  model.model().outputs = {{"y", "y"}};
  const auto x = RandomFloats(3 * 5 * 7, 3);
  const auto y = RunModel(model, {{{1, 3, 5, 7}, x}}, EngineMode::kFast, Isa::kPortable, 2, nullptr).at("y");
  for (size_t i = 0; i < x.size(); ++i) EXPECT_EQ(y[i], std::max(x[i], 0.0f) + x[i]);
}

TEST(ExecutorTest, AbortEndsAFrameBetweenTwoOperations) {
  ModelBuilder model = Chain();
  Executor executor(model.Build(), Isa::kPortable, 1, EngineMode::kFast);
  const std::vector<float> x(32);
  std::vector<float> a(32), b(32);
  const std::vector<void*> outputs = {a.data(), b.data()};
  const std::vector<int64_t> shape = {1, 2, 4, 4};
  executor.StageTensor(0, shape, x);
  executor.Abort();
  EXPECT_THROW(executor.Run({}, outputs), AbortedError);
  executor.Rearm();
  executor.StageTensor(0, shape, x);
  EXPECT_NO_THROW(executor.Run({}, outputs));
}

TEST(ExecutorTest, AFrameNeedsItsInputsAnew) {
  ModelBuilder model = Chain();
  Executor executor(model.Build(), Isa::kPortable, 1, EngineMode::kFast);
  std::vector<float> a(32), b(32);
  const std::vector<void*> outputs = {a.data(), b.data()};
  executor.StageTensor(0, std::vector<int64_t>{1, 2, 4, 4}, std::vector<float>(32));
  executor.Run({}, outputs);
  EXPECT_THROW(executor.Run({}, outputs), Error);
}

}  // namespace
}  // namespace bdc
