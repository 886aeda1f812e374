// Fusion of convolutions of real weights: sums and ReLUs behind them, argmax of their logits, convolutions
// joined, int8 images.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "fusion_chain.h"

namespace bdc {
namespace {

/// A bottleneck of a residual network, its shortcut a convolution where it is `projected`.
std::string Bottleneck(Chain& chain, const std::string& x, double scale, bool projected) {
  const std::string first = chain.ReLU(chain.RealConvolution(x, 1, scale));
  const std::string second = chain.ReLU(chain.RealConvolution(first, 3, scale));
  const std::string third = chain.RealConvolution(second, 1, scale);
  return chain.ReLU(chain.Sum(third, projected ? chain.RealConvolution(x, 1, scale) : x));
}

TEST(FusionTest, Int8ConvolutionsAreExact) {
  // 64: tiles of a matrix unit.
  for (const auto& [channels, height, width] : {std::tuple{64, 9, 33}, {70, 5, 7}, {5, 13, 1}}) {
    SCOPED_TRACE(channels);
    Chain chain(channels, height, width);
    const std::string first = Bottleneck(chain, "x", 0.01, true);
    const std::string second = Bottleneck(chain, first, 0.02, false);
    // Between blocks of binary weights: they hand on int8 to each other.
    const std::string unit = chain.Activation(chain.Pointwise(chain.PReLU(second), 0.03));
    chain.Compare(chain.RealConvolution(unit, 3, 0.05), StreamType::kFloat32, 0);
  }
}

TEST(FusionTest, ABottleneckIsThreeNodesThatHandOnInt8) {
  Chain chain(32, 10, 12);
  const std::string first = Bottleneck(chain, "x", 0.1, false);
  chain.model().model().outputs = {{"y", Bottleneck(chain, first, 0.1, false)}};
  Graph graph = chain.model().Build();
  graph.Fuse(StreamType::kFloat16);
  ASSERT_EQ(graph.nodes().size(), 6u);
  const auto type_of = [&](int tensor) { return graph.tensors()[tensor].spec.type; };
  EXPECT_EQ(type_of(graph.nodes()[0].outputs[0]), ElementType::kInt8);
  EXPECT_EQ(type_of(graph.nodes()[1].outputs[0]), ElementType::kInt8);
  const GraphNode& sum = graph.nodes()[2];
  EXPECT_EQ(sum.op, "conv2d + add + relu");
  ASSERT_EQ(sum.outputs.size(), 2u);
  // The next block reads one as its input, the other as its residual.
  EXPECT_EQ(type_of(sum.outputs[0]), ElementType::kFloat16);
  EXPECT_EQ(type_of(sum.outputs[1]), ElementType::kInt8);
  EXPECT_EQ(graph.nodes()[3].inputs[0], sum.outputs[1]);
  EXPECT_EQ(graph.nodes()[5].inputs[1], sum.outputs[0]);
}

TEST(FusionTest, SumsAndReLUsBehindFloatConvolutionsChangeNothing) {
  Chain chain(6, 9, 21);
  const std::string first = Bottleneck(chain, "x", 0, true);
  const std::string second = Bottleneck(chain, first, 0, false);
  Graph graph = [&] {
    chain.model().model().outputs = {{"y", second}};
    return chain.model().Build();
  }();
  graph.Fuse(StreamType::kFloat16);
  ASSERT_EQ(graph.nodes().size(), 7u);
  for (const GraphNode& node : graph.nodes()) {
    EXPECT_EQ(graph.tensors()[node.outputs[0]].spec.type, ElementType::kFloat32);
  }
  chain.Compare(second, StreamType::kFloat16, 1e-3);
}

/// Convolution "name" of an input, `kernel` wide, with a bias; of int8 weights where it has an activation
/// scale.
void AddHead(ModelBuilder& model, const std::string& name, int in, int out, int kernel,
             double activation_scale, const std::string& input = "x") {
  const auto seed = static_cast<uint32_t>(name.size() + name.back() + out);
  const size_t count = size_t(out) * in * kernel * kernel;
  const double padding = kernel / 2;
  const std::vector<int64_t> shape = {out, in, kernel, kernel};
  const std::vector<float> weight = RandomFloats(count, seed);
  model.Store(name + ".b", "F32", {out}, RandomFloats(out, seed + 1));
  auto& conv = model.Add("conv2d", name, {input});
  conv.attributes = {{"stride", std::vector<double>{1, 1}},
                     {"padding", std::vector<double>{padding, padding}}};
  conv.tensors = {{"weight", name + ".w"}, {"bias", name + ".b"}};
  if (activation_scale == 0) {
    model.Store(name + ".w", "F32", shape, weight);
    return;
  }
  std::vector<int8_t> whole;
  for (float w : weight) whole.push_back(static_cast<int8_t>(std::nearbyint(w * 127)));
  model.Store(name + ".w", "I8", shape, whole);
  model.Store(name + ".s", "F32", {out}, RandomFloats(out, seed + 2));
  conv.tensors["scale"] = name + ".s";
  conv.attributes["activation_scale"] = activation_scale;
}

/// Logits of 5 classes on 12 levels and their argmax.
ModelBuilder LabelModel(int in, int height, int width, double activation_scale) {
  ModelBuilder model;
  auto& shape = model.model().grid.shape;
  shape[0] = width, shape[1] = height, shape[2] = 12;
  model.Input("x", {1, in, height, width});
  AddHead(model, "logits", in, 60, 1, activation_scale);
  auto& argmax = model.Add("occupancy_argmax", "labels", {"logits"});
  argmax.outputs = {"labels", "confidence"};
  argmax.attributes = {{"classes", 5.0}};
  return model;
}

TEST(FusionTest, LogitsThatNobodyWantsNeverReachMemory) {
  constexpr int kIn = 7, kVoxels = 25 * 20 * 12;
  ModelBuilder model = LabelModel(kIn, 20, 25, 0);
  model.model().outputs = {{"labels", "labels"}, {"confidence", "confidence"}};
  Graph graph = model.Build();
  graph.Fuse(StreamType::kFloat32);
  ASSERT_EQ(graph.nodes().size(), 1u);
  const std::vector<Feed> inputs = {{{1, kIn, 20, 25}, RandomFloats(size_t{kIn} * 500, 5)}};
  const auto expected = RunModel(model, inputs, EngineMode::kReference, Isa::kPortable, 1, nullptr);
  ForEachIsa([&](const KernelSet& kernels) {
    for (int threads : {1, 3}) {
      const auto found = RunModel(model, inputs, EngineMode::kFast, kernels.isa, threads, nullptr);
      // Random logits are far apart, so that rounding changes no label.
      EXPECT_EQ(0, std::memcmp(found.at("labels").data(), expected.at("labels").data(), kVoxels));
      for (int i = 0; i < kVoxels; ++i) {
        ASSERT_NEAR(found.at("confidence")[i], expected.at("confidence")[i], 1e-5) << i;
      }
    }
  });
}

TEST(FusionTest, LabelsOfInt8LogitsHaveTheBitsOfTheUnfusedPlan) {
  // Less than a strip, and strips with a rest; 64 channels fill tiles of a matrix unit.
  for (const auto& [in, height, width] : {std::tuple{7, 20, 25}, {64, 20, 20}, {3, 2, 5}, {300, 9, 24}}) {
    SCOPED_TRACE(in);
    const size_t voxels = size_t(height) * width * 12;
    ModelBuilder model = LabelModel(in, height, width, 0.006);
    ModelBuilder unfused = model;
    model.model().outputs = {{"labels", "labels"}, {"confidence", "confidence"}};
    unfused.model().outputs = {{"logits", "logits"}, {"labels", "labels"}, {"confidence", "confidence"}};
    Graph graph = model.Build(), unfused_graph = unfused.Build();
    graph.Fuse(StreamType::kFloat32), unfused_graph.Fuse(StreamType::kFloat32);
    ASSERT_EQ(graph.nodes().size(), 1u);
    ASSERT_EQ(unfused_graph.nodes().size(), 2u);
    EXPECT_EQ(graph.nodes()[0].op, "conv2d + occupancy_argmax");
    const std::vector<Feed> inputs = {{{1, in, height, width}, RandomFloats(size_t(in) * height * width, 5)}};
    const auto reference = RunModel(unfused, inputs, EngineMode::kReference, Isa::kPortable, 1, nullptr);
    ForEachIsa([&](const KernelSet& kernels) {
      const auto expected = RunModel(unfused, inputs, EngineMode::kFast, kernels.isa, 1, nullptr);
      EXPECT_EQ(expected.at("logits"), reference.at("logits"));
      for (int threads : {1, 3}) {
        const auto found = RunModel(model, inputs, EngineMode::kFast, kernels.isa, threads, nullptr);
        EXPECT_EQ(0, std::memcmp(found.at("labels").data(), reference.at("labels").data(), voxels));
        EXPECT_EQ(0, std::memcmp(found.at("labels").data(), expected.at("labels").data(), voxels));
        EXPECT_EQ(found.at("confidence"), expected.at("confidence"));
      }
    });
  }
}

TEST(FusionTest, ConvolutionsOfOneInputAreJoined) {
  for (double activation_scale : {0.0, 0.006}) {
    SCOPED_TRACE(activation_scale);
    ModelBuilder model;
    model.Input("x", {1, 3, 5, 6});
    for (const std::string name : {"a", "b", "c"}) {
      AddHead(model, name, 3, name == "b" ? 2 : 1, 3, activation_scale);
    }
    Graph graph = model.Build();
    graph.Fuse(StreamType::kFloat16);
    ASSERT_EQ(graph.nodes().size(), 1u);
    EXPECT_EQ(graph.nodes()[0].op, "3 × conv2d");
    EXPECT_EQ(graph.nodes()[0].outputs.size(), 3u);
    EXPECT_EQ(graph.operations().size(), 3u);
    const std::vector<Feed> inputs = {{{1, 3, 5, 6}, RandomFloats(90, 1)}};
    const auto expected = RunModel(model, inputs, EngineMode::kReference, Isa::kPortable, 1, nullptr);
    // Int8 sums are exact.
    const double tolerance = activation_scale == 0 ? 1e-5 : 0;
    ForEachIsa([&](const KernelSet& kernels) {
      for (int threads : {1, 3}) {
        const auto found = RunModel(model, inputs, EngineMode::kFast, kernels.isa, threads, nullptr);
        for (const auto& [role, values] : expected) {
          for (size_t i = 0; i < values.size(); ++i) {
            EXPECT_NEAR(found.at(role)[i], values[i], tolerance) << role << i;
          }
        }
      }
    });
  }
}

TEST(FusionTest, ConvolutionsOfTwoScalesOrOneWithoutABiasAreNotJoined) {
  ModelBuilder model;
  model.Input("x", {1, 3, 5, 6});
  AddHead(model, "a", 3, 2, 3, 0.006);
  AddHead(model, "b", 3, 2, 3, 0.007);
  AddHead(model, "c", 3, 2, 3, 0);
  AddHead(model, "d", 3, 2, 3, 0.006);
  model.model().operations.back().tensors.erase("bias");
  Graph graph = model.Build();
  graph.Fuse(StreamType::kFloat16);
  EXPECT_EQ(graph.nodes().size(), 4u);
}

TEST(FusionTest, JoinedConvolutionsWriteRealValuesWhateverReadsThem) {
  Chain chain(6, 5, 7);
  const std::string a = chain.RealConvolution("x", 3, 0.05), b = chain.RealConvolution("x", 3, 0.05);
  // Of one by itself the first reader would get int8 values, the sum float16.
  chain.RealConvolution(a, 1, 0.04);
  const std::string y = chain.Sum(chain.RealConvolution(b, 1, 0.04), a);
  chain.Compare(y, StreamType::kFloat32, 0);
  chain.Compare(y, StreamType::kFloat16, 0);
  Graph graph = chain.model().Build();
  graph.Fuse(StreamType::kFloat16);
  EXPECT_EQ(graph.nodes()[0].op, "2 × conv2d");
}

TEST(FusionTest, SumsAndReLUsOfInt8ChannelsThatFillNoTileAreExact) {
  ModelBuilder model;
  model.Input("x", {1, 64, 9, 11});
  AddHead(model, "a", 64, 48, 1, 0.006);
  AddHead(model, "b", 64, 48, 3, 0.006);
  model.Add("add", "sum", {"a", "b"});
  model.Add("relu", "y", {"sum"});
  model.model().outputs = {{"y", "y"}};
  Graph graph = model.Build();
  graph.Fuse(StreamType::kFloat32);
  ASSERT_EQ(graph.nodes().size(), 2u);
  const std::vector<Feed> inputs = {{{1, 64, 9, 11}, RandomFloats(64 * 99, 6)}};
  const auto expected = RunModel(model, inputs, EngineMode::kReference, Isa::kPortable, 1, nullptr);
  ForEachIsa([&](const KernelSet& kernels) {
    for (int threads : {1, 3}) {
      EXPECT_EQ(RunModel(model, inputs, EngineMode::kFast, kernels.isa, threads, nullptr), expected);
    }
  });
}

TEST(FusionTest, ImagesThatOnlyInt8ConvolutionsReadAreInt8FromTheStart) {
  constexpr int kWidth = 9, kHeight = 6, kImages = 2, kPixels = kWidth * kHeight;
  ModelBuilder model;
  model.model().images = {kWidth, kHeight, {123.7, 116.3, 103.5}, {58.4, 57.1, 57.4}};
  model.Input("images", {TensorSpec::kPerCamera, 3, kHeight, kWidth});
  AddHead(model, "a", 3, 5, 3, 0.0208, "images");
  const auto type_of_images = [](const ModelBuilder& built) {
    Graph graph = built.Build();
    graph.Fuse(StreamType::kFloat16);
    return graph.tensors()[graph.inputs()[0]].spec.type;
  };
  EXPECT_EQ(type_of_images(model), ElementType::kInt8);

  std::vector<uint8_t> bytes;
  std::vector<float> normalized(size_t{kImages} * 3 * kPixels);
  for (int i = 0; i < kImages * kPixels * 3; ++i) bytes.push_back(static_cast<uint8_t>(i * 89 + i / 7));
  const ImageSpec& spec = model.model().images;
  for (int i = 0; i < kImages * 3 * kPixels; ++i) {
    const int image = i / (3 * kPixels), channel = i / kPixels % 3, pixel = i % kPixels;
    const uint8_t value = bytes[(image * kPixels + pixel) * 3 + channel];
    normalized[i] = (static_cast<float>(value) - spec.mean[channel]) / spec.std[channel];
  }
  const std::vector<int> cameras = {0, 1};
  const std::vector<Feed> inputs = {{{kImages, 3, kHeight, kWidth}, normalized}};
  const auto expected =
      RunModel(model, inputs, EngineMode::kReference, Isa::kPortable, 1, nullptr, cameras).at("a");
  ForEachIsa([&](const KernelSet& kernels) {
    for (int threads : {1, 3}) {
      const auto found = RunModel(model, inputs, EngineMode::kFast, kernels.isa, threads, nullptr, cameras);
      EXPECT_EQ(found.at("a"), expected);
      Executor executor(model.Build(), kernels.isa, threads, EngineMode::kFast);
      const std::span<const uint8_t> both(bytes);
      executor.StageImages(
          std::vector<std::span<const uint8_t>>{both.first(kPixels * 3), both.last(kPixels * 3)});
      std::vector<float> values(expected.size());
      executor.Run(cameras, std::vector<void*>{values.data()});
      EXPECT_EQ(values, expected);
    }
  });

  AddHead(model, "b", 3, 5, 3, 0, "images");
  EXPECT_EQ(type_of_images(model), ElementType::kFloat32);
}

}  // namespace
}  // namespace bdc
