#include "ops/align_previous.h"

#include <gtest/gtest.h>

#include <cmath>

#include "graph_tester.h"
#include "kernel_tester.h"
#include "runtime/error.h"

namespace bdc {
namespace {

using Values = std::vector<float>;

/// y = align_previous(x) on a map of [1, channels, rows, columns], frame after frame. The tester's grid: x
/// −6…6 m, y −4…4 m.
class Sequence {
 public:
  Sequence(int channels, int rows, int columns, EngineMode mode, Isa isa = Isa::kPortable, int threads = 1)
      : shape_{1, channels, rows, columns}, executor_(Build(shape_), isa, threads, mode) {}

  Executor& executor() { return executor_; }

  Values Run(const Values& x, const RigidMotion* motion) {
    executor_.StageTensor(0, shape_, x);
    Values y(x.size());
    void* const places[] = {y.data()};
    executor_.Run({}, places, motion);
    return y;
  }

 private:
  static Graph Build(const std::vector<int64_t>& shape) {
    ModelBuilder model;
    model.Input("x", shape);
    model.Add("align_previous", "y", {"x"});
    return model.Build();
  }

  std::vector<int64_t> shape_;
  Executor executor_;
};

constexpr RigidMotion kStill = {{1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0}};

RigidMotion Moved(double yaw, double x, double y) {
  return {{std::cos(yaw), -std::sin(yaw), 0, x, std::sin(yaw), std::cos(yaw), 0, y, 0, 0, 1, 0}};
}

TEST(AlignPreviousTest, GivesZerosWithoutHistory) {
  for (EngineMode mode : {EngineMode::kReference, EngineMode::kFast}) {
    Sequence sequence(2, 4, 6, mode);
    const Values x = RandomFloats(48, 1), zeros(48, 0.0f);
    EXPECT_EQ(sequence.Run(x, &kStill), zeros) << "nothing was kept before the first frame";
    EXPECT_EQ(sequence.Run(x, nullptr), zeros) << "the caller says that there is none";
  }
}

TEST(AlignPreviousTest, GivesThePreviousFrameBackWhereTheRobotStood) {
  for (EngineMode mode : {EngineMode::kReference, EngineMode::kFast}) {
    Sequence sequence(2, 4, 6, mode);
    const Values first = RandomFloats(48, 1), second = RandomFloats(48, 2), third = RandomFloats(48, 3);
    sequence.Run(first, nullptr);
    EXPECT_EQ(sequence.Run(second, &kStill), first);
    EXPECT_EQ(sequence.Run(third, &kStill), second);
  }
}

TEST(AlignPreviousTest, ShiftsByWholeCellsAgainstTheMotion) {
  // Cells of 2 m along x. The robot drove 4 m ahead: what lay two columns further then lies here now.
  Sequence sequence(1, 1, 6, EngineMode::kFast);
  sequence.Run({1, 2, 3, 4, 5, 6}, nullptr);
  const RigidMotion ahead = Moved(0, 4, 0);
  EXPECT_EQ(sequence.Run(Values(6, 0.0f), &ahead), (Values{3, 4, 5, 6, 0, 0}));
}

TEST(AlignPreviousTest, BlendsBetweenCellsAndFadesToZeroAtTheEdge) {
  Sequence sequence(1, 1, 6, EngineMode::kFast);
  sequence.Run({1, 2, 3, 4, 5, 6}, nullptr);
  const RigidMotion half = Moved(0, 1, 0);
  EXPECT_EQ(sequence.Run(Values(6, 0.0f), &half), (Values{1.5, 2.5, 3.5, 4.5, 5.5, 3}));
}

TEST(AlignPreviousTest, TurnsTheMapWithTheRobot) {
  // A quarter turn to the left on square cells of 2 m: what was at +y is now ahead (+x).
  ModelBuilder model;
  model.model().grid = {{-2, -2, -1}, {2, 2, 3}, {2, 2, 2}};
  model.Input("x", {1, 1, 2, 2});
  model.Add("align_previous", "y", {"x"});
  Executor executor(model.Build(), Isa::kPortable, 1, EngineMode::kFast);
  const RigidMotion left = Moved(std::acos(-1.0) / 2, 0, 0);
  const std::vector<int64_t> shape = {1, 1, 2, 2};
  Values y(4);
  void* const places[] = {y.data()};
  const RigidMotion* motions[] = {nullptr, &left};
  for (const RigidMotion* motion : motions) {
    executor.StageTensor(0, shape, Values{1, 2, 3, 4});  // rows: y = −1, +1; columns: x = −1, +1
    executor.Run({}, places, motion);
  }
  const Values expected = {2, 4, 1, 3};
  for (int i = 0; i < 4; ++i) EXPECT_NEAR(y[i], expected[i], 1e-6);
}

TEST(AlignPreviousTest, SeesNothingFarAwayHoweverFar) {
  for (double distance : {13.0, 1e9, 1e300}) {
    Sequence sequence(1, 4, 6, EngineMode::kFast);
    sequence.Run(RandomFloats(24, 1), nullptr);
    const RigidMotion away = Moved(0.3, distance, -distance);
    EXPECT_EQ(sequence.Run(RandomFloats(24, 2), &away), Values(24, 0.0f));
  }
}

TEST(AlignPreviousTest, EveryInstructionSetAndThreadCountAgreesWithTheReference) {
  constexpr int kChannels = 5, kRows = 37, kColumns = 131;  // more than one chunk of columns, with a rest
  const size_t size = size_t{kChannels} * kRows * kColumns;
  const Values first = RandomFloats(size, 4), second = RandomFloats(size, 5);
  const RigidMotion motion = Moved(0.7, 1.3, -0.4);
  Sequence reference(kChannels, kRows, kColumns, EngineMode::kReference);
  reference.Run(first, nullptr);
  const Values expected = reference.Run(second, &motion);
  ForEachIsa([&](const KernelSet& kernels) {
    for (int threads : {1, 3}) {
      Sequence fast(kChannels, kRows, kColumns, EngineMode::kFast, kernels.isa, threads);
      fast.Run(first, nullptr);
      const Values found = fast.Run(second, &motion);
      for (size_t i = 0; i < size; ++i) ASSERT_NEAR(found[i], expected[i], 1e-5) << i;
    }
  });
}

TEST(AlignPreviousTest, AFrameThatWasAbortedLeavesTheHistoryAlone) {
  Sequence sequence(1, 4, 6, EngineMode::kFast);
  const Values first = RandomFloats(24, 1);
  sequence.Run(first, nullptr);
  sequence.executor().Abort();
  EXPECT_THROW(sequence.Run(RandomFloats(24, 2), &kStill), AbortedError);
  sequence.executor().Rearm();
  EXPECT_EQ(sequence.Run(RandomFloats(24, 3), &kStill), first);
}

TEST(AlignPreviousTest, HistoryIsTwoMapsForEachOperation) {
  Sequence sequence(3, 4, 6, EngineMode::kFast);
  EXPECT_EQ(sequence.executor().history_bytes(), 2 * 3 * 4 * 6 * int64_t{sizeof(float)});
}

TEST(AlignPreviousTest, RefusesOneMapForEachCamera) {
  ModelBuilder model;
  model.Input("x", {TensorSpec::kPerCamera, 2, 4, 6});
  model.Add("align_previous", "y", {"x"});
  try {
    model.Build();
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "MODEL_SHAPE");
    EXPECT_NE(std::string(error.what()).find("a batch of cameras"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace bdc
