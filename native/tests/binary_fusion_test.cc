// Fusion of layers of binary weights: blocks, gates, ranges of channels, streams and int8 activations.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "fusion_chain.h"

namespace bdc {
namespace {

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
  chain.Compare(chain.Gate(conv), StreamType::kFloat32, 1e-6);
}

TEST(FusionTest, AGateOfTwoConvolutionsIsOneNode) {
  // 200 channels: more than are computed together.
  for (const auto& [channels, height, width] : {std::tuple{40, 11, 30}, {200, 3, 5}, {6, 1, 2}}) {
    SCOPED_TRACE(channels);
    Chain chain(channels, height, width);
    const std::string squeezed = chain.Activation(chain.Pointwise(chain.Mean("x"), 0));
    const std::string gate = chain.Sigmoid(chain.Pointwise(squeezed, 0));
    chain.model().model().outputs = {{"y", gate}};
    Graph graph = chain.model().Build();
    graph.Fuse(StreamType::kFloat32);
    ASSERT_EQ(graph.nodes().size(), 2u);
    EXPECT_EQ(graph.nodes()[1].op, "binary_conv2d + rprelu + binary_conv2d + sigmoid");
    chain.Compare(gate, StreamType::kFloat32, 1e-4);
  }
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

TEST(FusionTest, OutputsLieWhereAnInputIsReadForTheLastTime) {
  for (bool is_read_later : {false, true}) {
    Chain chain(40, 11, 30);
    const std::string conv = chain.Activation(chain.Convolution(chain.Sign(chain.Norm("x")), 3));
    const std::string unit = chain.Sum(chain.ScaledByMean(conv), chain.Norm("x"));
    // Two signs of one sweep: it reads its input twice.
    const std::string a = chain.Activation(chain.Convolution(chain.Sign(unit), 3));
    const std::string b = chain.Activation(chain.Convolution(chain.Sign(unit), 3));
    const std::string sum = chain.Sum(a, chain.Sum(b, unit));
    const std::string y = is_read_later ? chain.Sum(sum, chain.Sum(conv, unit)) : sum;
    chain.Compare(y, StreamType::kFloat32, 0);
    Graph graph = chain.model().Build();
    graph.Fuse(StreamType::kFloat32);
    std::vector<std::pair<std::string, int>> overwritten;  // of sums: which input
    for (const GraphNode& node : graph.nodes()) {
      if (node.op.find("add") == std::string::npos) continue;
      const int memory = graph.PlaceOf(node.outputs[0]).tensor;
      EXPECT_GE(graph.tensors()[memory].last_use, graph.tensors()[node.outputs[0]].last_use) << node.name;
      const auto at = std::find_if(node.inputs.begin(), node.inputs.end(),
                                   [&](int input) { return graph.PlaceOf(input).tensor == memory; });
      const auto input = static_cast<int>(at - node.inputs.begin());
      overwritten.emplace_back(node.op, at == node.inputs.end() ? -1 : input);
    }
    const std::string gated = "channel_gate + add + sign + sign", block = "binary_conv2d + rprelu + add";
    using Expected = std::vector<std::pair<std::string, int>>;
    const Expected at_once{{gated, 0}, {block, 1}, {block, 1}};
    const Expected later{{gated, 2}, {block, -1}, {block, 1}, {"add + add", 0}};
    EXPECT_EQ(overwritten, is_read_later ? later : at_once);
  }
}

TEST(FusionTest, StreamsThatAreResampledAndMovedAreFloat16) {
  Chain chain(48, 12, 34);
  const std::string x = chain.ScaledByMean(chain.Convolution(chain.Sign("x"), 3));
  const std::string small = GatedUnit(chain, chain.Pool(x));
  const auto halves = chain.Halves(chain.Enlarged(small));
  const std::string joined = chain.Concat(halves.second, halves.first);
  const std::string y = GatedUnit(chain, chain.Average(joined, x));
  chain.model().model().outputs = {{"y", y}};
  Graph graph = chain.model().Build();
  graph.Fuse(StreamType::kFloat16);
  int streams = 0;
  for (const GraphTensor& tensor : graph.tensors()) {
    // All but the graph's input and output and the means.
    if (!tensor.is_needed || tensor.spec.type != ElementType::kFloat32) {
      streams += tensor.is_needed && tensor.spec.type == ElementType::kFloat16;
      continue;
    }
    EXPECT_TRUE(tensor.spec.Plane() == 1 || tensor.name == "x" || tensor.name == y) << tensor.name;
  }
  EXPECT_GT(streams, 5);
}

TEST(FusionTest, ResampledFloat16StreamsAreRoundedOnce) {
  // Pooling and enlarging again: each stream in between is rounded, by half a unit in the last place at most.
  Chain chain(6, 14, 35);
  const std::string x = chain.Norm("x");
  const auto halves = chain.Halves(chain.Pool(chain.Enlarged(x)));
  const std::string y = chain.Sum(chain.Norm(chain.Concat(halves.second, halves.first)), "x");
  chain.model().model().outputs = {{"y", y}};
  const std::vector<Feed> inputs = {{{2, 6, 14, 35}, RandomFloats(size_t{2} * 6 * 14 * 35, 99)}};
  const auto expected =
      RunModel(chain.model(), inputs, EngineMode::kReference, Isa::kPortable, 1, nullptr).at("y");
  ForEachIsa([&](const KernelSet& kernels) {
    for (int threads : {1, 3}) {
      const auto found = RunModel(chain.model(), inputs, EngineMode::kFast, kernels.isa, threads, nullptr, {},
                                  StreamType::kFloat16)
                             .at("y");
      double largest = 0;
      for (size_t i = 0; i < found.size(); ++i) {
        const double error = std::fabs(double{found[i]} - expected[i]);
        // Values below 2, of three streams, each scaled by 1 at most.
        ASSERT_LE(error, 3 * 0x1p-11 * 2) << i;
        largest = std::max(largest, error);
      }
      EXPECT_GT(largest, 0) << "no stream was rounded";
    }
  });
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

}  // namespace
}  // namespace bdc
