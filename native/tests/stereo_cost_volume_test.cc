#include "ops/stereo_cost_volume.h"

#include <gtest/gtest.h>

#include <cmath>
#include <optional>

#include "graph_tester.h"
#include "kernel_tester.h"
#include "runtime/error.h"

namespace bdc {
namespace {

using Values = std::vector<float>;

constexpr int kChannels = 20, kRows = 3, kColumns = 17, kFocal = 8;
const std::vector<double> kDepths = {2, 4, 8};

/// A camera that looks along +x of the base frame, 1.5 m above it, whose pixels are the features.
Values ForwardCamera() {
  return {kFocal, kFocal, 8, 1, 1, 0, 0, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 1, 0, -1, 0, 0, 0, 0, -1, 0, 1.5f};
}

class Sequence {
 public:
  Sequence(EngineMode mode, Isa isa = Isa::kPortable, int threads = 1, int cameras = 2)
      : executor_(Build(), isa, threads, mode) {
    Values parameters;
    for (int i = 0; i < cameras; ++i) {
      const Values one = ForwardCamera();
      parameters.insert(parameters.end(), one.begin(), one.end());
    }
    executor_.SetRig({cameras, 1, 1, Values(cameras * 3, 1.0f), Values(cameras * 3, 0.0f), parameters});
  }

  Values Run(const std::vector<int>& cameras, const Values& x, const RigidMotion* motion) {
    const auto images = static_cast<int64_t>(cameras.size());
    executor_.StageTensor(0, std::vector<int64_t>{images, kChannels, kRows, kColumns}, x);
    Values y(images * kDepths.size() * kRows * kColumns);
    void* const places[] = {y.data()};
    executor_.Run(cameras, places, motion);
    return y;
  }

 private:
  static Graph Build() {
    ModelBuilder model;
    model.Input("x", {TensorSpec::kPerCamera, kChannels, kRows, kColumns});
    model.Add("stereo_cost_volume", "y", {"x"}).attributes = {
        {"depths", kDepths}, {"stride", 1.0}, {"bias", 5.0}};
    return model.Build();
  }

  Executor executor_;
};

/// The robot moved `left` metres to its left: what is `depth` ahead moved kFocal · left / depth pixels to the
/// right.
RigidMotion Aside(double left) { return {{1, 0, 0, 0, 0, 1, 0, left, 0, 0, 1, 0}}; }

Values ShiftedRight(const Values& x, int columns) {
  Values y(x.size());
  for (size_t row = 0; row < x.size() / kColumns; ++row) {
    for (int i = 0; i < kColumns; ++i) {
      y[row * kColumns + i] = x[row * kColumns + (i + kColumns - columns) % kColumns];
    }
  }
  return y;
}

constexpr size_t kImage = size_t{kChannels} * kRows * kColumns, kVolume = 3 * kRows * kColumns;

TEST(StereoCostVolumeTest, FindsTheDepthAtWhichBothFramesFit) {
  const RigidMotion motion = Aside(1);
  for (EngineMode mode : {EngineMode::kReference, EngineMode::kFast}) {
    for (int depth = 0; depth < 3; ++depth) {
      Sequence sequence(mode);
      const Values then = RandomFloats(kImage, 1);
      sequence.Run({0}, then, nullptr);
      const Values y = sequence.Run({0}, ShiftedRight(then, 4 >> depth), &motion);
      for (int row = 0; row < kRows; ++row) {
        for (int column = 4; column < kColumns; ++column) {
          const auto at = [&](int d) { return y[(d * kRows + row) * kColumns + column]; };
          EXPECT_GT(at(depth), 0.95) << row << ", " << column << " at depth " << depth;
          EXPECT_NEAR(at(0) + at(1) + at(2), 1, 1e-6);
        }
      }
    }
  }
}

TEST(StereoCostVolumeTest, IsZeroWithoutHistoryOfThatCamera) {
  const RigidMotion motion = Aside(1);
  Sequence sequence(EngineMode::kFast);
  EXPECT_EQ(sequence.Run({0}, RandomFloats(kImage, 1), &motion), Values(kVolume, 0.0f)) << "the first frame";
  EXPECT_EQ(sequence.Run({0}, RandomFloats(kImage, 2), nullptr), Values(kVolume, 0.0f)) << "no motion";
  EXPECT_EQ(sequence.Run({1}, RandomFloats(kImage, 3), &motion), Values(kVolume, 0.0f)) << "camera 1 is new";
  const Values both = sequence.Run({0, 1}, RandomFloats(2 * kImage, 4), &motion);
  EXPECT_EQ(Values(both.begin(), both.begin() + kVolume), Values(kVolume, 0.0f)) << "camera 0 was away";
  EXPECT_GT(both[kVolume], 0) << "camera 1 was there";
}

TEST(StereoCostVolumeTest, WhatThePreviousImageDoesNotShowCostsTheBias) {
  // Turned by half a turn: everything was behind the camera. All depths cost the same.
  const RigidMotion turned = {{-1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 1, 0}};
  for (EngineMode mode : {EngineMode::kReference, EngineMode::kFast}) {
    Sequence sequence(mode);
    sequence.Run({0}, RandomFloats(kImage, 1), nullptr);
    for (float share : sequence.Run({0}, RandomFloats(kImage, 2), &turned)) EXPECT_NEAR(share, 1.0 / 3, 1e-6);
  }
}

TEST(StereoCostVolumeTest, EveryInstructionSetAndThreadCountAgreesWithTheReference) {
  const Values first = RandomFloats(2 * kImage, 4), second = RandomFloats(2 * kImage, 5);
  const RigidMotion motion = {{std::cos(0.1), -std::sin(0.1), 0.02, 0.7, std::sin(0.1), std::cos(0.1), 0.01,
                               -0.2, -0.02, -0.01, 1, 0.05}};
  Sequence reference(EngineMode::kReference);
  reference.Run({0, 1}, first, nullptr);
  const Values expected = reference.Run({0, 1}, second, &motion);
  ForEachIsa([&](const KernelSet& kernels) {
    std::optional<Values> one;
    for (int threads : {1, 3}) {
      Sequence sequence(EngineMode::kFast, kernels.isa, threads);
      sequence.Run({0, 1}, first, nullptr);
      const Values y = sequence.Run({0, 1}, second, &motion);
      for (size_t i = 0; i < y.size(); ++i) ASSERT_NEAR(y[i], expected[i], 1e-5) << i;
      if (one) EXPECT_EQ(y, *one) << "threads change the result";
      one = y;
    }
  });
}

TEST(StereoCostVolumeTest, NeedsTheCalibrationOfTheRig) {
  ModelBuilder model;
  model.Input("x", {TensorSpec::kPerCamera, kChannels, kRows, kColumns});
  model.Add("camera_parameters", "y", {"x"});
  Executor executor(model.Build(), Isa::kPortable, 1, EngineMode::kFast);
  EXPECT_TRUE(executor.uses_calibration());
  const auto code_of = [&](const Values& parameters) -> std::string {
    try {
      executor.SetRig({1, 1, 1, Values(3, 1.0f), Values(3, 0.0f), parameters});
    } catch (const Error& error) {
      return error.code();
    }
    return "none";
  };
  EXPECT_EQ(code_of({}), "RIG_CALIBRATION");
  EXPECT_EQ(code_of(Values(27, NAN)), "RIG_CALIBRATION");
  EXPECT_EQ(code_of(ForwardCamera()), "none");
  executor.StageTensor(0, std::vector<int64_t>{1, kChannels, kRows, kColumns}, Values(kImage, 0.0f));
  Values y(27);
  void* const places[] = {y.data()};
  executor.Run(std::vector<int>{0}, places);
  EXPECT_EQ(y, ForwardCamera());
}

TEST(StereoCostVolumeTest, RefusesWhatMakesNoSense) {
  const auto code_of = [](std::vector<double> depths, double stride, int64_t batch,
                          int64_t channels) -> std::string {
    ModelBuilder model;
    model.Input("x", {batch, channels, 3, 4});
    model.Add("stereo_cost_volume", "y", {"x"}).attributes = {
        {"depths", std::move(depths)}, {"stride", stride}, {"bias", 0.0}};
    try {
      model.Build();
    } catch (const Error& error) {
      return error.code();
    }
    return "none";
  };
  EXPECT_EQ(code_of({1, 2}, 4, 0, 4), "none");
  EXPECT_EQ(code_of({2, 1}, 4, 0, 4), "MODEL_ATTRIBUTE");
  EXPECT_EQ(code_of({0, 1}, 4, 0, 4), "MODEL_ATTRIBUTE");
  EXPECT_EQ(code_of({}, 4, 0, 4), "MODEL_ATTRIBUTE");
  EXPECT_EQ(code_of({1, 2}, 0, 0, 4), "MODEL_ATTRIBUTE");
  EXPECT_EQ(code_of({1, 2}, 4, 2, 4), "MODEL_SHAPE");
  EXPECT_EQ(code_of({1, 2}, 4, 0, 6), "MODEL_SHAPE");
}

}  // namespace
}  // namespace bdc
