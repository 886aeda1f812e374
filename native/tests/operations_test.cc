#include <gtest/gtest.h>

#include <cmath>

#include "graph_tester.h"
#include "kernel_tester.h"
#include "kernels/vector-math.h"
#include "runtime/error.h"

namespace bdc {
namespace {

using Outputs = std::map<std::string, std::vector<float>>;

/// Every fast version on one and on three threads must agree with the reference.
void ExpectAgreement(const ModelBuilder& model, const std::vector<Feed>& inputs, double tolerance,
                     const RigRays* rig = nullptr, const std::vector<int>& cameras = {}) {
  const Outputs expected = RunModel(model, inputs, EngineMode::kReference, Isa::kPortable, 1, rig, cameras);
  ForEachIsa([&](const KernelSet& kernels) {
    const Outputs one = RunModel(model, inputs, EngineMode::kFast, kernels.isa, 1, rig, cameras);
    const Outputs three = RunModel(model, inputs, EngineMode::kFast, kernels.isa, 3, rig, cameras);
    EXPECT_EQ(one, three) << "threads change the result";
    for (const auto& [role, values] : expected) {
      for (size_t i = 0; i < values.size(); ++i) {
        ASSERT_NEAR(one.at(role)[i], values[i], tolerance * (1 + std::fabs(values[i])))
            << role << "[" << i << "]";
      }
    }
  });
}

Feed RandomFeed(std::vector<int64_t> shape, uint32_t seed, float scale = 1) {
  size_t count = 1;
  for (int64_t size : shape) count *= size;
  std::vector<float> values = RandomFloats(count, seed);
  for (float& value : values) value *= scale;
  return {std::move(shape), std::move(values)};
}

struct ConvCase {
  int images, in, height, width, out, kernel_h, kernel_w, stride, padding;
};

class ConvolutionTest : public ::testing::TestWithParam<ConvCase> {};

TEST_P(ConvolutionTest, RealAgreesWithTheReference) {
  const ConvCase c = GetParam();
  ModelBuilder model;
  model.Input("x", {c.images, c.in, c.height, c.width});
  const size_t weights = size_t(c.out) * c.in * c.kernel_h * c.kernel_w;
  model.Store("w", "F32", {c.out, c.in, c.kernel_h, c.kernel_w}, RandomFloats(weights, 1));
  model.Store("b", "F32", {c.out}, RandomFloats(c.out, 2));
  auto& conv = model.Add("conv2d", "y", {"x"});
  const double stride = c.stride, padding_h = std::min(c.padding, c.kernel_h - 1),
               padding_w = std::min(c.padding, c.kernel_w - 1);
  conv.attributes = {{"stride", std::vector<double>{stride, stride}},
                     {"padding", std::vector<double>{padding_h, padding_w}}};
  conv.tensors = {{"weight", "w"}, {"bias", "b"}};
  ExpectAgreement(model, {RandomFeed({c.images, c.in, c.height, c.width}, 3)}, 1e-5);
}

TEST_P(ConvolutionTest, BinaryWeightsAgreeWithTheReference) {
  const ConvCase c = GetParam();
  for (const bool bits : {false, true}) {
    SCOPED_TRACE(bits ? "on bits" : "on real values");
    ModelBuilder model;
    model.Input("x", {c.images, c.in, c.height, c.width});
    std::string input = "x";
    if (bits) {
      std::vector<int8_t> direction(c.in, 1);
      for (int i = 0; i < c.in; i += 2) direction[i] = -1;
      model.Store("t", "F32", {c.in}, RandomFloats(c.in, 4));
      model.Store("d", "I8", {c.in}, direction);
      model.Add("sign", "bits", {"x"}).tensors = {{"threshold", "t"}, {"direction", "d"}};
      model.model().outputs.clear();
      input = "bits";
    }
    const size_t taps = size_t(c.out) * c.kernel_h * c.kernel_w;
    model.Store("w", "U64", {c.out, c.kernel_h, c.kernel_w, WordsFor(c.in)}, RandomBits(taps, c.in, 5));
    model.Store("s", "F32", {c.out}, RandomFloats(c.out, 6));
    auto& conv = model.Add("binary_conv2d", "y", {input});
    const double stride = c.stride, padding_h = std::min(c.padding, c.kernel_h - 1),
                 padding_w = std::min(c.padding, c.kernel_w - 1);
    conv.attributes = {{"in_channels", double(c.in)},
                       {"stride", std::vector<double>{stride, stride}},
                       {"padding", std::vector<double>{padding_h, padding_w}}};
    conv.tensors = {{"weight", "w"}, {"scale", "s"}};
    ExpectAgreement(model, {RandomFeed({c.images, c.in, c.height, c.width}, 7)}, bits ? 0 : 1e-5);
  }
}

TEST(DilatedConvolutionTest, AgreesWithTheReference) {
  struct Case {
    int height, width, kernel_h, kernel_w;
    double stride, padding, dilation;
  };
  for (const Case& c :
       {Case{16, 44, 3, 3, 1, 18, 18}, Case{9, 11, 3, 2, 1, 2, 2}, Case{13, 14, 3, 3, 2, 3, 3},
        Case{12, 12, 2, 3, 3, 0, 4}, Case{8, 9, 1, 1, 1, 0, 6}}) {
    SCOPED_TRACE(c.dilation);
    ModelBuilder model;
    model.Input("x", {2, 5, c.height, c.width});
    model.Store("w", "F32", {7, 5, c.kernel_h, c.kernel_w}, RandomFloats(7 * 5 * c.kernel_h * c.kernel_w, 1));
    auto& conv = model.Add("conv2d", "y", {"x"});
    conv.attributes = {{"stride", std::vector<double>{c.stride, c.stride}},
                       {"padding", std::vector<double>{c.padding, c.padding}},
                       {"dilation", std::vector<double>{c.dilation, c.dilation}}};
    conv.tensors = {{"weight", "w"}};
    ExpectAgreement(model, {RandomFeed({2, 5, c.height, c.width}, 3)}, 1e-5);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, ConvolutionTest,
    ::testing::Values(ConvCase{1, 1, 1, 1, 1, 1, 1, 1, 0}, ConvCase{2, 65, 7, 5, 9, 3, 3, 1, 1},
                      ConvCase{1, 3, 33, 47, 8, 3, 3, 2, 1}, ConvCase{3, 64, 1, 1, 5, 3, 3, 1, 1},
                      ConvCase{1, 130, 4, 70, 17, 1, 1, 1, 0}, ConvCase{1, 8, 9, 9, 4, 1, 1, 2, 0},
                      ConvCase{1, 2, 40, 41, 3, 7, 7, 2, 3}, ConvCase{1, 5, 6, 20, 2, 1, 5, 3, 4}));

TEST(LiftSplatTest, EqualsBruteForceWithCamerasMissing) {
  const int cameras = 4, bins = 7, height = 3, width = 5, channels = 70;
  ModelBuilder model;
  model.Input("depth", {TensorSpec::kPerCamera, bins, height, width});
  model.Input("context", {TensorSpec::kPerCamera, channels, height, width});
  std::vector<double> depths;
  for (int i = 0; i < bins; ++i) depths.push_back(0.5 + i);
  model.Add("lift_splat", "bev", {"depth", "context"}).attributes = {{"depths", depths}};
  RigRays rig{cameras, height, width, RandomFloats(cameras * height * width * 3, 1),
              RandomFloats(cameras * 3, 2)};
  rig.rays[7] = NAN;
  const std::vector<int> live = {0, 2, 3};
  const Feed depth = RandomFeed({3, bins, height, width}, 3),
             context = RandomFeed({3, channels, height, width}, 4);

  const GridSpec& grid = model.model().grid;
  std::vector<double> expected(channels * 30);
  int inside = 0;
  for (size_t image = 0; image < live.size(); ++image) {
    for (int d = 0; d < bins; ++d) {
      for (int pixel = 0; pixel < height * width; ++pixel) {
        const float* ray = &rig.rays[(live[image] * height * width + pixel) * 3];
        double p[3];
        for (int a = 0; a < 3; ++a)
          p[a] = double(rig.origins[live[image] * 3 + a]) + depths[d] * double(ray[a]);
        if (!(p[0] >= -6 && p[0] < 6 && p[1] >= -4 && p[1] < 4 && p[2] >= -1 && p[2] < 3)) continue;
        ++inside;
        const int column = int((p[0] - grid.min[0]) / 2), row = int((p[1] - grid.min[1]) / 1.6);
        for (int c = 0; c < channels; ++c) {
          expected[(c * 5 + row) * 6 + column] +=
              double(depth.values[(image * bins + d) * height * width + pixel]) *
              context.values[(image * channels + c) * height * width + pixel];
        }
      }
    }
  }
  ASSERT_GT(inside, 50);
  ASSERT_LT(inside, 3 * bins * height * width);
  ExpectAgreement(model, {depth, context}, 1e-6, &rig, live);
  const auto bev =
      RunModel(model, {depth, context}, EngineMode::kFast, Isa::kPortable, 2, &rig, live).at("bev");
  for (size_t i = 0; i < expected.size(); ++i) ASSERT_NEAR(bev[i], expected[i], 1e-5) << i;
}

TEST(ProjectionTest, PutsBordersIntoTheCellThatBeginsThere) {
  const GridSpec grid{{-6, -4, -1}, {6, 4, 3}, {6, 5, 2}};
  const auto cell = [&](double x, double y, double z) {
    const double point[] = {x, y, z};
    return Projection::CellOf(grid, point);
  };
  EXPECT_EQ(cell(-6, -4, -1), 0);
  EXPECT_EQ(cell(-4, -4, -1), 1);
  EXPECT_EQ(cell(5.999, 3.999, 2.999), 29);
  EXPECT_EQ(cell(6, 0, 0), -1);
  EXPECT_EQ(cell(0, 4, 0), -1);
  EXPECT_EQ(cell(0, 0, 3), -1);
  EXPECT_EQ(cell(-6.001, 0, 0), -1);
  EXPECT_EQ(cell(NAN, 0, 0), -1);
  EXPECT_EQ(cell(INFINITY, 0, 0), -1);
}

TEST(UpsampleTest, BilinearFollowsTheFormula) {
  for (const int factor : {1, 2, 3, 5}) {
    ModelBuilder model;
    model.Input("x", {1, 1, 3, 4});
    model.Add("upsample2d", "y", {"x"}).attributes = {{"factor", double(factor)},
                                                      {"mode", std::string("bilinear")}};
    const Feed x = RandomFeed({1, 1, 3, 4}, 5);
    ExpectAgreement(model, {x}, 0);
    const auto y = RunModel(model, {x}, EngineMode::kFast, Isa::kPortable, 1, nullptr).at("y");
    const auto at = [&](double i, double j) {
      // half-pixel centres, clamped at the border
      const double r = std::clamp((i + 0.5) / factor - 0.5, 0.0, 2.0),
                   c = std::clamp((j + 0.5) / factor - 0.5, 0.0, 3.0);
      const int r0 = int(r), c0 = int(c), r1 = std::min(r0 + 1, 2), c1 = std::min(c0 + 1, 3);
      const auto v = [&](int a, int b) { return double(x.values[a * 4 + b]); };
      return (1 - (r - r0)) * ((1 - (c - c0)) * v(r0, c0) + (c - c0) * v(r0, c1)) +
             (r - r0) * ((1 - (c - c0)) * v(r1, c0) + (c - c0) * v(r1, c1));
    };
    for (int i = 0; i < 3 * factor; ++i) {
      for (int j = 0; j < 4 * factor; ++j) ASSERT_NEAR(y[i * 4 * factor + j], at(i, j), 1e-6);
    }
  }
}

TEST(MaxPoolTest, RefusesWindowsThatMissTheImage) {
  const auto code_of = [](std::vector<double> kernel, std::vector<double> stride,
                          std::vector<double> padding) {
    ModelBuilder model;
    model.Input("x", {1, 2, 5, 6});
    model.Add("max_pool2d", "y", {"x"}).attributes = {
        {"kernel", std::move(kernel)}, {"stride", std::move(stride)}, {"padding", std::move(padding)}};
    try {
      model.Build();
    } catch (const Error& error) {
      return error.code() + ": " + error.what();
    }
    return std::string("none");
  };
  const auto names = [](const std::string& message, const std::string& field) {
    return message.starts_with("MODEL_ATTRIBUTE") && message.find(field) != std::string::npos;
  };
  EXPECT_EQ(code_of({3, 3}, {2, 2}, {1, 1}), "none");
  EXPECT_TRUE(names(code_of({3, 3}, {2, 2}, {2, 1}), "attributes.padding")) << "more than half the kernel";
  EXPECT_TRUE(names(code_of({3, 3}, {2, 2}, {-1, 0}), "attributes.padding"));
  EXPECT_TRUE(names(code_of({3, 3}, {0, 2}, {1, 1}), "attributes.stride"));
  EXPECT_TRUE(names(code_of({0, 3}, {2, 2}, {0, 1}), "attributes.kernel"));
  EXPECT_TRUE(names(code_of({9, 3}, {2, 2}, {1, 1}), "attributes.kernel")) << "larger than the padded image";
  EXPECT_TRUE(names(code_of({3}, {2, 2}, {1, 1}), "attributes.kernel"));
  EXPECT_TRUE(names(code_of({3, 3}, {2.5, 2}, {1, 1}), "attributes.stride"));
}

TEST(ElementwiseTest, FastVersionsAgreeWithTheReference) {
  for (const char* op : {"relu", "sigmoid", "softplus", "softmax", "global_avg_pool2d"}) {
    SCOPED_TRACE(op);
    ModelBuilder model;
    model.Input("x", {2, 19, 11, 13});
    model.Add(op, "y", {"x"});
    ExpectAgreement(model, {RandomFeed({2, 19, 11, 13}, 6, 30)}, 1e-6);
  }
}

TEST(SoftmaxTest, SumsToOneEvenForHugeInputs) {
  ModelBuilder model;
  model.Input("x", {1, 9, 2, 40});
  model.Add("softmax", "y", {"x"});
  const auto y =
      RunModel(model, {RandomFeed({1, 9, 2, 40}, 8, 1e6f)}, EngineMode::kFast, Isa::kPortable, 1, nullptr)
          .at("y");
  for (int pixel = 0; pixel < 80; ++pixel) {
    double sum = 0;
    for (int c = 0; c < 9; ++c) sum += y[c * 80 + pixel];
    EXPECT_NEAR(sum, 1, 1e-5);
  }
}

TEST(VectorMathTest, StaysWithinItsError) {
  for (double x = -87; x <= 87; x += 0.0137) {
    const float value = static_cast<float>(x);
    ASSERT_NEAR(FastExp(value) / std::exp(double{value}), 1, 3e-7 + std::fabs(x) * 7.5e-8) << x;
  }
  for (double y = 1e-6; y <= 1; y += 0.00037) {
    const float value = static_cast<float>(y);
    ASSERT_NEAR(FastLog1p(value) / std::log1p(double{value}), 1, 3e-7) << y;
  }
  EXPECT_TRUE(std::isnan(FastExp(NAN)));
  EXPECT_GT(FastExp(-INFINITY), 0);
  EXPECT_TRUE(std::isfinite(FastExp(INFINITY)));
}

}  // namespace
}  // namespace bdc
