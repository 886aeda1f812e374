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

TEST(GraphTest, RefusesSizesThatOverflow) {
  ModelBuilder side;
  side.Input("x", {1, 1, 1, (1 << 30) + 1});
  EXPECT_EQ(CodeOf(side), "MODEL_SHAPE");
  // 2^30 images of 2^24 values each: an image is small enough, all their bytes are not far from 2^63.
  ModelBuilder batch;
  batch.Input("x0", {1 << 30, 1, 1, 1});
  for (int i = 0; i < 3; ++i) {
    const std::string from = "x" + std::to_string(i), to = "x" + std::to_string(i + 1);
    batch.Add("upsample2d", to, {from}).attributes = {{"factor", 16.0}, {"mode", std::string("nearest")}};
  }
  EXPECT_EQ(CodeOf(batch), "MODEL_SHAPE");
}

/// What is said of a convolution of `channels` channels, "none" where it is taken.
struct LargeConvolution {
  int64_t channels, height, width;
  int kernel;
  double stride, padding, dilation;

  std::string Message(bool of_int8) const {
    ModelBuilder model;
    model.Input("x", {1, channels, height, width});
    const size_t weights = static_cast<size_t>(channels) * kernel * kernel;
    auto& conv = model.Add("conv2d", "y", {"x"});
    conv.attributes = {{"stride", std::vector<double>{stride, stride}},
                       {"padding", std::vector<double>{padding, padding}},
                       {"dilation", std::vector<double>{dilation, dilation}}};
    conv.tensors = {{"weight", "w"}};
    if (of_int8) {
      model.Store("w", "I8", {1, channels, kernel, kernel}, std::vector<int8_t>(weights));
      model.Store("s", "F32", {1}, std::vector<float>{1});
      conv.attributes.emplace("activation_scale", 0.5);
      conv.tensors.emplace("scale", "s");
    } else {
      model.Store("w", "F32", {1, channels, kernel, kernel}, std::vector<float>(weights));
    }
    try {
      model.Build();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kModel);
      return error.code() + ": " + error.what();
    }
    return "none";
  }
};

TEST(GraphTest, RefusesAConvolutionWhoseTapsOverflow) {
  const LargeConvolution just_fits{1024, 1, 419000, 5, 1, 2, 1}, wide{1024, 1, 1 << 19, 5, 1, 2, 1};
  EXPECT_EQ(just_fits.Message(false), "none");
  EXPECT_EQ(wide.Message(false),
            "MODEL_SHAPE: graph.operations[0] \"y\" (conv2d): input: expected at most 2147483647 values in "
            "the rows under the kernel, with padding (take fewer channels, a narrower image or a lower "
            "kernel), found 2684403712");
  EXPECT_EQ(wide.Message(true), "none") << "four channels a word";
  const LargeConvolution of_quads{1024, 1, 1 << 20, 9, 1, 4, 1};
  EXPECT_TRUE(of_quads.Message(true).starts_with("MODEL_SHAPE"));
  // A phase for each of 255 · 255 strides: so many planes overflow an int.
  const LargeConvolution phases{33100, 1, 1, 2, 255, 127, 254};
  EXPECT_TRUE(phases.Message(false).starts_with("MODEL_SHAPE"));
}

TEST(GraphTest, RefusesABinaryWeightConvolutionWhoseTapsOverflow) {
  ModelBuilder model;
  model.Input("x", {1, 1024, 1, 1 << 19});
  model.Store("w", "U64", {1, 5, 5, 16}, std::vector<uint64_t>(5 * 5 * 16));
  model.Store("s", "F32", {1}, std::vector<float>{1});
  auto& conv = model.Add("binary_conv2d", "y", {"x"});
  conv.attributes = {
      {"in_channels", 1024.0}, {"stride", std::vector<double>{1, 1}}, {"padding", std::vector<double>{2, 2}}};
  conv.tensors = {{"weight", "w"}, {"scale", "s"}};
  EXPECT_EQ(CodeOf(model), "MODEL_SHAPE");
}

TEST(GraphTest, RefusesABinaryConvolutionWhoseCountsAreNotExact) {
  constexpr int kChannels = 1 << 20, kKernel = 5, kWords = kChannels / 64;
  ModelBuilder model;
  model.Input("x", {1, kChannels, kKernel, kKernel});
  model.Store("t", "F32", {kChannels}, std::vector<float>(kChannels));
  model.Store("d", "I8", {kChannels}, std::vector<int8_t>(kChannels, 1));
  model.Store("w", "U64", {1, kKernel, kKernel, kWords}, std::vector<uint64_t>(kKernel * kKernel * kWords));
  model.Store("s", "F32", {1}, std::vector<float>{1});
  model.Add("sign", "bits", {"x"}).tensors = {{"threshold", "t"}, {"direction", "d"}};
  model.model().outputs.clear();
  auto& conv = model.Add("binary_conv2d", "y", {"bits"});
  conv.attributes = {{"in_channels", double{kChannels}},
                     {"stride", std::vector<double>{1, 1}},
                     {"padding", std::vector<double>{0, 0}}};
  conv.tensors = {{"weight", "w"}, {"scale", "s"}};
  EXPECT_EQ(CodeOf(model), "MODEL_TENSOR_SHAPE");
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
