#include "graph/memory_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "runtime/aligned_buffer.h"

namespace bdc {
namespace {

bool LiveTogether(const MemoryRequest& a, const MemoryRequest& b) {
  return a.first <= b.last && b.first <= a.last;
}

/// Bytes that are live at the busiest step: no plan can do with less.
int64_t LowerBound(const std::vector<MemoryRequest>& requests, int steps) {
  int64_t most = 0;
  for (int step = 0; step < steps; ++step) {
    int64_t bytes = 0;
    for (const MemoryRequest& request : requests) {
      if (request.first <= step && step <= request.last) bytes += request.bytes;
    }
    most = std::max(most, bytes);
  }
  return most;
}

TEST(MemoryPlanTest, NoTwoRequestsThatLiveTogetherOverlap) {
  std::mt19937 random(1);
  for (int round = 0; round < 50; ++round) {
    const int steps = 40;
    std::vector<MemoryRequest> requests;
    for (int i = 0; i < 80; ++i) {
      const int first = static_cast<int>(random() % steps),
                last = std::min<int>(steps - 1, first + random() % 8);
      requests.push_back({static_cast<int64_t>(random() % 5000), first, last});
    }
    const MemoryPlan plan = PlanMemory(requests);
    for (size_t a = 0; a < requests.size(); ++a) {
      ASSERT_EQ(plan.offsets[a] % static_cast<int64_t>(kAlignment), 0);
      ASSERT_LE(plan.offsets[a] + requests[a].bytes, plan.bytes);
      for (size_t b = a + 1; b < requests.size(); ++b) {
        if (!LiveTogether(requests[a], requests[b])) continue;
        const bool apart = plan.offsets[a] + requests[a].bytes <= plan.offsets[b] ||
                           plan.offsets[b] + requests[b].bytes <= plan.offsets[a];
        ASSERT_TRUE(apart || requests[a].bytes == 0 || requests[b].bytes == 0) << a << " and " << b;
      }
    }
    EXPECT_GE(plan.bytes, LowerBound(requests, steps));
  }
}

TEST(MemoryPlanTest, AChainNeedsTwoBuffers) {
  std::vector<MemoryRequest> chain;
  for (int step = 0; step < 20; ++step) chain.push_back({1024, step, step + 1});
  EXPECT_EQ(PlanMemory(chain).bytes, 2048);
}

TEST(MemoryPlanTest, NothingNeedsNothing) { EXPECT_EQ(PlanMemory({}).bytes, 0); }

}  // namespace
}  // namespace bdc
