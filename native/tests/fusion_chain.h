// Chains of layers as networks have them, for the tests of what the fused plan makes of them.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "graph_tester.h"
#include "kernel_tester.h"

namespace bdc {

/// A chain of binary layers as networks have them: everything up to the sums is exact, so the fused plan must
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

  std::string Sigmoid(const std::string& input) { return Add("sigmoid", Next("sigmoid"), {input}, {}); }

  std::string Gate(const std::string& input) {
    return Add("channel_gate", Next("gate"), {input, Sigmoid(Mean(input))}, {});
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

}  // namespace bdc
