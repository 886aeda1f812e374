#include <gtest/gtest.h>

#include <cmath>

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

  std::string Activation(const std::string& input) {
    const std::string name = Next("rprelu");
    Store(name + ".i", RandomFloats(channels_, seed_));
    Store(name + ".s", RandomFloats(channels_, seed_ + 1));
    Store(name + ".o", RandomFloats(channels_, seed_ + 2));
    return Add("rprelu", name, {input},
               {{"bias_in", name + ".i"}, {"slope", name + ".s"}, {"bias_out", name + ".o"}});
  }

  std::string Gate(const std::string& input) {
    const std::string gate =
        Add("sigmoid", Next("sigmoid"), {Add("global_avg_pool2d", Next("mean"), {input}, {})}, {});
    return Add("channel_gate", Next("gate"), {input, gate}, {});
  }

  std::string Sum(const std::string& a, const std::string& b) { return Add("add", Next("sum"), {a, b}, {}); }

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

TEST(FusionTest, ConvolutionsOfOneInputAreJoined) {
  ModelBuilder model;
  model.Input("x", {1, 3, 5, 6});
  for (const std::string name : {"a", "b", "c"}) {
    const int out = name == "b" ? 2 : 1;
    model.Store(name + ".w", "F32", {out, 3, 3, 3}, RandomFloats(size_t(out) * 27, 7 + out));
    auto& conv = model.Add("conv2d", name, {"x"});
    conv.attributes = {{"stride", std::vector<double>{1, 1}}, {"padding", std::vector<double>{1, 1}}};
    conv.tensors = {{"weight", name + ".w"}};
  }
  Graph graph = model.Build();
  graph.Fuse(StreamType::kFloat16);
  ASSERT_EQ(graph.nodes().size(), 1u);
  EXPECT_EQ(graph.nodes()[0].outputs.size(), 3u);
  EXPECT_EQ(graph.operations().size(), 3u);
  const std::vector<Feed> inputs = {{{1, 3, 5, 6}, RandomFloats(90, 1)}};
  const auto expected = RunModel(model, inputs, EngineMode::kReference, Isa::kPortable, 1, nullptr);
  const auto found = RunModel(model, inputs, EngineMode::kFast, Isa::kPortable, 2, nullptr);
  for (const auto& [role, values] : expected) {
    for (size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(found.at(role)[i], values[i], 1e-5) << role << i;
  }
}

}  // namespace
}  // namespace bdc
