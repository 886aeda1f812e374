#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "graph_tester.h"
#include "kernel_tester.h"

namespace bdc {
namespace {

/// Chains of binary layers as networks have them: everything up to the sums is exact, so the fused plan must
/// give what the unfused one gives.
class Chain {
 public:
  Chain(int channels, int height, int width) : channels_(channels), height_(height), width_(width) {
    model_.Input("x", {2, channels, height, width});
  }

  std::string Sign(const std::string& input) {
    std::vector<int8_t> direction(channels_, 1);
    for (int i = 0; i < channels_; i += 3) direction[i] = -1;
    const std::string name = Next("sign");
    Store(name + ".t", RandomFloats(channels_, seed_));
    model_.Store(name + ".d", "I8", {channels_}, direction);
    return Add("sign", name, {input}, {{"threshold", name + ".t"}, {"direction", name + ".d"}});
  }

  std::string Convolution(const std::string& input, int kernel) {
    const std::string name = Next("conv");
    const size_t taps = size_t(channels_) * kernel * kernel;
    model_.Store(name + ".w", "U64", {channels_, kernel, kernel, WordsFor(channels_)},
                 RandomBits(taps, channels_, seed_));
    Store(name + ".s", RandomFloats(channels_, seed_ + 1));
    Store(name + ".b", RandomFloats(channels_, seed_ + 2));
    Add("binary_conv2d", name, {input},
        {{"weight", name + ".w"}, {"scale", name + ".s"}, {"bias", name + ".b"}});
    const double padding = kernel / 2;
    model_.model().operations.back().attributes = {{"in_channels", double(channels_)},
                                                   {"stride", std::vector<double>{1, 1}},
                                                   {"padding", std::vector<double>{padding, padding}}};
    return name;
  }

  /// 1×1 on real values: W1A8 with an activation scale, W1A32 without (0).
  std::string Pointwise(const std::string& input, double activation_scale) {
    const std::string name = Convolution(input, 1);
    auto& attributes = model_.model().operations.back().attributes;
    if (activation_scale != 0) attributes.emplace("activation_scale", activation_scale);
    return name;
  }

  /// Real weights; on int8 activations with a scale, on real ones without (0).
  std::string RealConvolution(const std::string& input, int kernel, double activation_scale) {
    const std::string name = Next("real");
    const size_t count = size_t(channels_) * channels_ * kernel * kernel;
    const std::vector<int64_t> shape = {channels_, channels_, kernel, kernel};
    const double padding = kernel / 2;
    const std::vector<float> weight = RandomFloats(count, seed_);
    std::map<std::string, std::string, std::less<>> tensors = {{"weight", name + ".w"},
                                                               {"bias", name + ".b"}};
    Store(name + ".b", RandomFloats(channels_, seed_ + 1));
    std::map<std::string, Attribute, std::less<>> attributes = {
        {"stride", std::vector<double>{1, 1}}, {"padding", std::vector<double>{padding, padding}}};
    if (activation_scale == 0) {
      model_.Store(name + ".w", "F32", shape, weight);
    } else {
      std::vector<int8_t> whole;
      for (float w : weight) whole.push_back(static_cast<int8_t>(std::nearbyint(w * 127)));
      model_.Store(name + ".w", "I8", shape, whole);
      // Keeps the size of values along the chain.
      std::vector<float> scale = RandomFloats(channels_, seed_ + 2);
      for (float& s : scale) s *= static_cast<float>(1.0 / 127 / std::sqrt(count / channels_));
      Store(name + ".s", scale);
      tensors["scale"] = name + ".s";
      attributes["activation_scale"] = activation_scale;
    }
    Add("conv2d", name, {input}, tensors);
    model_.model().operations.back().attributes = attributes;
    return name;
  }

  std::string ReLU(const std::string& input) { return Add("relu", Next("relu"), {input}, {}); }

  std::string PReLU(const std::string& input) {
    const std::string name = Next("prelu");
    Store(name + ".s", RandomFloats(channels_, seed_));
    return Add("prelu", name, {input}, {{"slope", name + ".s"}});
  }

  std::string Activation(const std::string& input) {
    const std::string name = Next("rprelu");
    Store(name + ".i", RandomFloats(channels_, seed_));
    Store(name + ".s", RandomFloats(channels_, seed_ + 1));
    Store(name + ".o", RandomFloats(channels_, seed_ + 2));
    return Add("rprelu", name, {input},
               {{"bias_in", name + ".i"}, {"slope", name + ".s"}, {"bias_out", name + ".o"}});
  }

  std::string Mean(const std::string& input) { return Add("global_avg_pool2d", Next("mean"), {input}, {}); }

  std::string Gate(const std::string& input) {
    const std::string gate = Add("sigmoid", Next("sigmoid"), {Mean(input)}, {});
    return Add("channel_gate", Next("gate"), {input, gate}, {});
  }

  std::string Sum(const std::string& a, const std::string& b) { return Add("add", Next("sum"), {a, b}, {}); }

  /// A gate that takes no sigmoid: exact.
  std::string ScaledByMean(const std::string& input) {
    return Add("channel_gate", Next("gate"), {input, Mean(input)}, {});
  }

  std::string Average(const std::string& a, const std::string& b) {
    return Add("average", Next("average"), {a, b}, {});
  }

  std::string Norm(const std::string& input) {
    const std::string name = Next("norm");
    Store(name + ".s", RandomFloats(channels_, seed_));
    Store(name + ".b", RandomFloats(channels_, seed_ + 1));
    return Add("batch_norm", name, {input}, {{"scale", name + ".s"}, {"bias", name + ".b"}});
  }

  std::string Pool(const std::string& input) {
    const std::string name = Add("avg_pool2d", Next("pool"), {input}, {});
    model_.model().operations.back().attributes = {{"kernel", std::vector<double>{2, 2}},
                                                   {"stride", std::vector<double>{2, 2}}};
    return name;
  }

  /// Nearest: exact.
  std::string Enlarged(const std::string& input) {
    const std::string name = Add("upsample2d", Next("up"), {input}, {});
    model_.model().operations.back().attributes = {{"factor", 2.0}, {"mode", std::string("nearest")}};
    return name;
  }

  std::pair<std::string, std::string> Halves(const std::string& input) {
    const std::string name = Add("split", Next("split"), {input}, {});
    OperationSpec& split = model_.model().operations.back();
    split.outputs = {name + ".0", name + ".1"};
    split.attributes = {{"sizes", std::vector<double>{channels_ / 2.0, channels_ / 2.0}}};
    return {name + ".0", name + ".1"};
  }

  std::string Concat(const std::string& a, const std::string& b) {
    return Add("concat", Next("concat"), {a, b}, {});
  }

  /// What `make` adds is made for half the channels.
  template <typename Make>
  std::string OnHalf(const Make& make) {
    channels_ /= 2;
    const std::string name = make();
    channels_ *= 2;
    return name;
  }

  /// Output `name` of the fused plan must be the reference's, up to `tolerance` times its size.
  void Compare(const std::string& name, StreamType residual, double tolerance) {
    model_.model().outputs = {{"y", name}};
    const std::vector<Feed> inputs = {
        {{2, channels_, height_, width_}, RandomFloats(size_t{2} * channels_ * height_ * width_, 99)}};
    const auto expected =
        RunModel(model_, inputs, EngineMode::kReference, Isa::kPortable, 1, nullptr).at("y");
    ForEachIsa([&](const KernelSet& kernels) {
      for (int threads : {1, 3}) {
        const auto found =
            RunModel(model_, inputs, EngineMode::kFast, kernels.isa, threads, nullptr, {}, residual).at("y");
        for (size_t i = 0; i < found.size(); ++i) {
          ASSERT_NEAR(found[i], expected[i], tolerance * std::fabs(expected[i]))
              << i << ", threads " << threads;
        }
      }
    });
  }

  ModelBuilder& model() { return model_; }

 private:
  std::string Next(const std::string& stem) {
    seed_ += 10;
    return stem + std::to_string(seed_);
  }
  void Store(const std::string& name, const std::vector<float>& values) {
    model_.Store(name, "F32", {channels_}, values);
  }
  std::string Add(const std::string& op, const std::string& name, std::vector<std::string> inputs,
                  std::map<std::string, std::string, std::less<>> tensors) {
    model_.Add(op, name, std::move(inputs)).tensors = std::move(tensors);
    return name;
  }

  ModelBuilder model_;
  int channels_, height_, width_;
  uint32_t seed_ = 0;
};

std::string Block(Chain& chain, const std::string& input, int kernel) {
  return chain.Sum(chain.Activation(chain.Convolution(chain.Sign(input), kernel)), input);
}

TEST(FusionTest, BlocksAreExactWithFloat32Streams) {
  for (const auto& [channels, height, width] : {std::tuple{70, 9, 33}, {24, 25, 25}, {130, 3, 7}}) {
    for (int kernel : {1, 3}) {
      Chain chain(channels, height, width);
      const std::string first = Block(chain, "x", kernel);
      chain.Compare(Block(chain, first, kernel), StreamType::kFloat32, 0);
    }
  }
}

TEST(FusionTest, ARefinementBranchIsExactUpToItsGate) {
  Chain chain(40, 11, 30);
  const std::string conv = chain.Activation(chain.Convolution(chain.Sign("x"), 3));
  // The gate's sigmoid is a fast one.
  chain.Compare(chain.Sum(chain.Gate(conv), "x"), StreamType::kFloat32, 1e-5);
}

TEST(FusionTest, MeansAreExact) {
  for (const auto& [channels, height, width] : {std::tuple{40, 11, 30}, {20, 25, 41}, {33, 32, 32}}) {
    for (double activation_scale : {0.0, 0.05}) {
      Chain chain(channels, height, width);
      const std::string conv = chain.Activation(chain.Convolution(chain.Sign("x"), 3));
      const std::string y =
          activation_scale != 0 ? chain.Activation(chain.Pointwise(conv, activation_scale)) : conv;
      chain.Compare(chain.Mean(y), StreamType::kFloat32, 0);
    }
  }
}

/// sign → 3×3 → gate → sum with what came in.
std::string GatedUnit(Chain& chain, const std::string& x) {
  return chain.Sum(chain.ScaledByMean(chain.Activation(chain.Convolution(chain.Sign(x), 3))), x);
}

/// Units on halves of the channels, joined again, on their average, enlarged and pooled, and on channels that
/// are repeated.
std::string UnitsOfHalves(Chain& chain) {
  const std::string x = chain.Norm("x");
  const auto on_halves = [&](const std::string& whole) {
    const auto halves = chain.Halves(whole);
    return std::pair(chain.OnHalf([&, half = halves.first] { return GatedUnit(chain, half); }),
                     chain.OnHalf([&, half = halves.second] { return GatedUnit(chain, half); }));
  };
  const auto [a, b] = on_halves(GatedUnit(chain, x));
  const std::string joined = GatedUnit(chain, chain.Sum(chain.Concat(a, b), x));
  const auto [c, d] = on_halves(chain.Pool(joined));
  const std::string small = GatedUnit(chain, chain.Concat(c, d));
  const auto [e, f] = on_halves(chain.Enlarged(small));
  const std::string mean = chain.Average(e, f);
  const std::string wide = chain.ScaledByMean(chain.Convolution(chain.Sign(joined), 3));
  return chain.Sum(wide, chain.Concat(mean, mean));
}

TEST(FusionTest, RangesOfChannelsAreExact) {
  for (const auto& [channels, height, width] : {std::tuple{48, 12, 34}, {6, 2, 2}, {70, 26, 48}}) {
    SCOPED_TRACE(channels);
    Chain chain(channels, height, width);
    const std::string y = UnitsOfHalves(chain);
    chain.Compare(y, StreamType::kFloat32, 0);
  }
}

TEST(FusionTest, NothingIsCopiedAndNoSignTakenByItself) {
  Chain chain(48, 12, 34);
  chain.model().model().outputs = {{"y", UnitsOfHalves(chain)}};
  Graph graph = chain.model().Build();
  graph.Fuse(StreamType::kFloat16);
  for (const GraphNode& node : graph.nodes()) {
    for (const char* op : {"split", "concat", "sign", "add", "average", "channel_gate"}) {
      EXPECT_NE(node.op, op) << node.name;
    }
  }
}

TEST(FusionTest, ChannelsThatAreOutputsAreCopied) {
  Chain chain(8, 5, 7);
  const auto halves = chain.Halves("x");
  const std::string joined = chain.Concat(halves.second, halves.first);
  chain.model().model().outputs = {
      {"half", halves.first}, {"joined", joined}, {"sum", chain.Sum(joined, "x")}};
  const std::vector<Feed> inputs = {{{2, 8, 5, 7}, RandomFloats(size_t{2} * 8 * 5 * 7, 99)}};
  const auto expected = RunModel(chain.model(), inputs, EngineMode::kReference, Isa::kPortable, 1, nullptr);
  ForEachIsa([&](const KernelSet& kernels) {
    const auto found =
        RunModel(chain.model(), inputs, EngineMode::kFast, kernels.isa, 2, nullptr, {}, StreamType::kFloat16);
    for (const auto& [role, values] : expected) EXPECT_EQ(found.at(role), values) << role;
  });
}

TEST(FusionTest, AFloat16StreamIsWithinOneUnitInTheLastPlace) {
  Chain chain(64, 10, 20);
  // The stream between the two blocks is rounded; the signs are taken before that, so the second block's
  // sums stay the same and only its residual differs, by half a unit in the last place.
  const std::string first = Block(chain, "x", 3);
  const std::string conv = chain.Convolution(chain.Sign(first), 3);
  const std::string last = chain.Sum(chain.Activation(conv), first);
  chain.model().model().outputs = {{"y", last}};
  const std::vector<Feed> inputs = {{{2, 64, 10, 20}, RandomFloats(size_t{2} * 64 * 10 * 20, 99)}};
  const auto whole =
      RunModel(chain.model(), inputs, EngineMode::kReference, Isa::kPortable, 1, nullptr).at("y");
  chain.model().model().outputs = {{"y", first}};
  const auto stream =
      RunModel(chain.model(), inputs, EngineMode::kReference, Isa::kPortable, 1, nullptr).at("y");
  chain.model().model().outputs = {{"y", last}};
  ForEachIsa([&](const KernelSet& kernels) {
    const auto found =
        RunModel(chain.model(), inputs, EngineMode::kFast, kernels.isa, 2, nullptr, {}, StreamType::kFloat16)
            .at("y");
    double largest = 0;
    for (size_t i = 0; i < found.size(); ++i) {
      const double error = std::fabs(double{found[i]} - whole[i]);
      // 11 bits of a float16 value; below 2^-14 its steps are of equal size.
      ASSERT_LE(error, std::max(std::fabs(stream[i]) * 0x1p-10, 0x1p-24) + std::fabs(whole[i]) * 0x1p-23)
          << i;
      largest = std::max(largest, error);
    }
    EXPECT_GT(largest, 0) << "no stream was rounded";
  });
}

TEST(FusionTest, Int8ActivationsAreExact) {
  // 300 channels: more than 16 bits hold the sums of.
  for (const auto& [channels, height, width] :
       {std::tuple{70, 9, 33}, {24, 25, 25}, {300, 3, 7}, {5, 1, 1}}) {
    SCOPED_TRACE(channels);
    Chain chain(channels, height, width);
    // The sums of the 3×3 are large: 3 clips some of the activations and not others.
    const std::string spatial = chain.Activation(chain.Convolution(chain.Sign("x"), 3));
    const std::string unit = chain.Sum(chain.Activation(chain.Pointwise(spatial, 3.0 / 127)), "x");
    // The residual sum is read as int8 and, by the next sum, as real values.
    const std::string next = chain.Activation(chain.Pointwise(unit, 0.11));
    chain.Compare(chain.Sum(next, unit), StreamType::kFloat32, 0);
  }
}

TEST(FusionTest, Int8ActivationsOfTwoScalesAndReadAsRealAreExact) {
  Chain chain(40, 11, 50);
  const std::string spatial = chain.Activation(chain.Convolution(chain.Sign("x"), 3));
  const std::string coarse = chain.Pointwise(spatial, 0.1),
                    fine = chain.PReLU(chain.Pointwise(spatial, 0.02));
  chain.Compare(chain.Sum(chain.Sum(coarse, fine), spatial), StreamType::kFloat32, 0);
}

TEST(FusionTest, ALayerBetweenBlocksHandsOnInt8) {
  Chain chain(32, 10, 12);
  const std::string spatial = chain.Convolution(chain.Sign("x"), 3);
  chain.model().model().outputs = {{"y", chain.Pointwise(spatial, 0.1)}};
  Graph graph = chain.model().Build();
  graph.Fuse(StreamType::kFloat32);
  ASSERT_EQ(graph.nodes().size(), 3u);
  EXPECT_EQ(graph.tensors()[graph.nodes()[1].outputs[0]].spec.type, ElementType::kInt8);
}

TEST(FusionTest, AStreamAndItsInt8ValuesComeFromOneBlock) {
  Chain chain(32, 10, 12);
  const std::string first = chain.Sum(chain.Convolution(chain.Sign("x"), 3), "x");
  chain.model().model().outputs = {{"y", chain.Sum(chain.Pointwise(first, 0.1), first)}};
  Graph graph = chain.model().Build();
  graph.Fuse(StreamType::kFloat16);
  ASSERT_EQ(graph.nodes().size(), 3u);  // sign, 3×3 + add, 1×1 + add
  const GraphNode& maker = graph.nodes()[1];
  ASSERT_EQ(maker.outputs.size(), 2u);
  EXPECT_EQ(graph.tensors()[maker.outputs[0]].spec.type, ElementType::kFloat16);
  EXPECT_EQ(graph.tensors()[maker.outputs[1]].spec.type, ElementType::kInt8);
  EXPECT_EQ(graph.nodes()[2].inputs, (std::vector<int>{maker.outputs[1], maker.outputs[0]}));
}

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

TEST(FusionTest, RealActivationsOfPointwiseLayersDifferByRegroupingOnly) {
  for (const auto& [channels, height, width] : {std::tuple{70, 9, 33}, {130, 8, 8}, {30, 1, 2}}) {
    Chain chain(channels, height, width);
    const std::string first = chain.Activation(chain.Pointwise("x", 0));
    chain.model().model().outputs = {{"y", chain.Sum(first, "x")}};
    const std::vector<Feed> inputs = {
        {{2, channels, height, width}, RandomFloats(size_t{2} * channels * height * width, 99)}};
    const auto expected =
        RunModel(chain.model(), inputs, EngineMode::kReference, Isa::kPortable, 1, nullptr).at("y");
    ForEachIsa([&](const KernelSet& kernels) {
      const auto found = RunModel(chain.model(), inputs, EngineMode::kFast, kernels.isa, 2, nullptr).at("y");
      for (size_t i = 0; i < found.size(); ++i) {
        // Each of at most ⌈log₂ K⌉ + 2 … K additions rounds a partial sum of at most K.
        ASSERT_NEAR(found[i], expected[i], channels * 0x1p-23 * 8) << i;
      }
    });
  }
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
