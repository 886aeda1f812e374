#include "runtime/thread_pool.h"

#include <gtest/gtest.h>

#if defined(__linux__)
#include <sched.h>
#endif

#include <chrono>
#include <ctime>
#include <numeric>
#include <stdexcept>

namespace bdc {
namespace {

class ThreadPoolTest : public ::testing::TestWithParam<int> {};

TEST_P(ThreadPoolTest, VisitsEachIndexOnce) {
  ThreadPool pool(GetParam());
  EXPECT_EQ(pool.size(), GetParam());
  for (int64_t count : {0, 1, 2, 7, 64, 1000}) {
    for (int64_t grain : {1, 3, 64, 5000}) {
      std::vector<std::atomic<int>> visits(count);
      pool.ParallelFor(10, 10 + count, grain, [&](int64_t from, int64_t to) {
        EXPECT_LE(to - from, grain);
        for (int64_t i = from; i < to; ++i) visits[i - 10].fetch_add(1);
      });
      for (int64_t i = 0; i < count; ++i) ASSERT_EQ(visits[i].load(), 1) << i << " of " << count;
    }
  }
}

TEST_P(ThreadPoolTest, ResultsOfOneRoundAreSeenByTheNext) {
  ThreadPool pool(GetParam());
  std::vector<int64_t> values(257, 0);
  constexpr int kRounds = 3000;
  for (int round = 0; round < kRounds; ++round) {
    // Reversed, so that an index changes its thread from round to round.
    pool.ParallelFor(0, 257, 16, [&](int64_t from, int64_t to) {
      for (int64_t i = from; i < to; ++i) values[round % 2 == 0 ? i : 256 - i] += 1;
    });
  }
  for (int64_t value : values) ASSERT_EQ(value, kRounds);
}

TEST_P(ThreadPoolTest, WorksAgainAfterItsWorkersFellAsleep) {
  ThreadPool pool(GetParam());
  std::atomic<int64_t> sum{0};
  for (int round = 0; round < 20; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    pool.ParallelFor(0, 100, 1, [&](int64_t from, int64_t) { sum.fetch_add(from); });
  }
  EXPECT_EQ(sum.load(), 20 * 4950);
}

TEST_P(ThreadPoolTest, LoopInsideALoopIsDoneToo) {
  ThreadPool pool(GetParam());
  std::atomic<int> visits{0};
  pool.ParallelFor(0, 8, 1, [&](int64_t, int64_t) {
    pool.ParallelFor(0, 10, 2,
                     [&](int64_t from, int64_t to) { visits.fetch_add(static_cast<int>(to - from)); });
  });
  EXPECT_EQ(visits.load(), 80);
}

TEST_P(ThreadPoolTest, TwoCallersOfOnePoolBothFinish) {
  ThreadPool pool(GetParam());
  std::atomic<int64_t> visits{0};
  const auto call = [&] {
    for (int round = 0; round < 500; ++round) {
      pool.ParallelFor(0, 32, 1, [&](int64_t from, int64_t to) { visits.fetch_add(to - from); });
    }
  };
  std::thread other(call);
  call();
  other.join();
  EXPECT_EQ(visits.load(), 2 * 500 * 32);
}

TEST_P(ThreadPoolTest, SeveralPoolsWorkSideBySide) {
  std::atomic<int64_t> sum{0};
  std::vector<std::thread> engines;
  for (int engine = 0; engine < 3; ++engine) {
    engines.emplace_back([&] {
      ThreadPool pool(GetParam());
      for (int round = 0; round < 200; ++round) {
        pool.ParallelFor(0, 50, 4, [&](int64_t from, int64_t to) {
          for (int64_t i = from; i < to; ++i) sum.fetch_add(i);
        });
      }
    });
  }
  for (std::thread& engine : engines) engine.join();
  EXPECT_EQ(sum.load(), 3 * 200 * 1225);
}

TEST_P(ThreadPoolTest, CallsOfOneThreadFollowEachOther) {
  ThreadPool pool(GetParam());
  std::vector<std::atomic<int>> inside(pool.size());
  std::atomic<int> visits{0};
  for (int round = 0; round < 200; ++round) {
    pool.ParallelFor(0, 40, 1, [&](int thread, int64_t, int64_t) {
      ASSERT_GE(thread, 0);
      ASSERT_LT(thread, pool.size());
      EXPECT_EQ(inside[thread].fetch_add(1), 0);
      visits.fetch_add(1);
      inside[thread].fetch_sub(1);
    });
  }
  EXPECT_EQ(visits.load(), 200 * 40);
}

TEST_P(ThreadPoolTest, EachThreadBeginsWithItsOwnShare) {
  ThreadPool pool(GetParam());
  constexpr int64_t kItems = 64;
  for (int round = 0; round < 20; ++round) {
    std::vector<int64_t> first(pool.size(), -1);
    std::atomic<int> begun{0};
    pool.ParallelFor(100, 100 + kItems, 1, [&](int thread, int64_t from, int64_t) {
      if (first[thread] >= 0) return;
      first[thread] = from;
      begun.fetch_add(1);
      while (begun.load() < pool.size()) std::this_thread::yield();  // until all have taken something
    });
    for (int thread = 0; thread < pool.size(); ++thread) {
      ASSERT_EQ(first[thread], 100 + kItems * thread / pool.size()) << "thread " << thread;
    }
  }
}

TEST_P(ThreadPoolTest, SharesOfAThreadThatIsHeldUpAreTakenByOthers) {
  ThreadPool pool(GetParam());
  std::atomic<int64_t> done{0};
  pool.ParallelFor(0, 64, 1, [&](int thread, int64_t, int64_t) {
    // The last thread's first item waits for all others.
    if (pool.size() > 1 && thread == pool.size() - 1) {
      while (done.load() < 63) std::this_thread::yield();
    }
    done.fetch_add(1);
  });
  EXPECT_EQ(done.load(), 64);
}

TEST_P(ThreadPoolTest, WhatTheLeaderThrowsReachesTheCaller) {
  ThreadSchedule schedule;
  schedule.nice = 1;
  for (const ThreadSchedule& each : {ThreadSchedule{}, schedule}) {
    ThreadPool pool(GetParam(), each);
    EXPECT_THROW(pool.Lead([] { throw std::runtime_error("no frame"); }), std::runtime_error);
    int64_t sum = 0;
    pool.Lead([&] {
      std::atomic<int64_t> total{0};
      pool.ParallelFor(0, 100, 3, [&](int64_t from, int64_t to) { total.fetch_add(to - from); });
      sum = total.load();
    });
    EXPECT_EQ(sum, 100);
  }
}

#if defined(__linux__)
TEST_P(ThreadPoolTest, WithAScheduleNothingRunsOnTheCallersThread) {
  cpu_set_t allowed;
  ASSERT_EQ(sched_getaffinity(0, sizeof allowed, &allowed), 0);
  int core = 0;
  while (!CPU_ISSET(core, &allowed)) ++core;
  ThreadSchedule schedule;
  schedule.cores = {core};
  ThreadPool pool(GetParam(), schedule);
  EXPECT_TRUE(pool.warnings().empty());
  std::atomic<int> elsewhere{0};
  const std::thread::id caller = std::this_thread::get_id();
  pool.Lead([&] {
    pool.ParallelFor(0, 64, 1, [&](int64_t, int64_t) {
      cpu_set_t mine;
      sched_getaffinity(0, sizeof mine, &mine);
      const bool is_pinned = CPU_COUNT(&mine) == 1 && CPU_ISSET(core, &mine);
      if (!is_pinned || std::this_thread::get_id() == caller) elsewhere.fetch_add(1);
    });
  });
  EXPECT_EQ(elsewhere.load(), 0);
  cpu_set_t after;
  ASSERT_EQ(sched_getaffinity(0, sizeof after, &after), 0);
  EXPECT_TRUE(CPU_EQUAL(&allowed, &after));
}
#endif

TEST_P(ThreadPoolTest, StartsAndStopsWithoutWork) {
  for (int round = 0; round < 50; ++round) ThreadPool pool(GetParam());
}

INSTANTIATE_TEST_SUITE_P(Threads, ThreadPoolTest, ::testing::Values(1, 2, 3, 8));

TEST(ThreadPoolLimitsTest, NeedsAThread) {
  EXPECT_THROW(ThreadPool(0), std::invalid_argument);
  EXPECT_THROW(ThreadPool(-1), std::invalid_argument);
}

TEST(ThreadPoolLimitsTest, IdlePoolTakesNoCpuTime) {
  ThreadPool pool(4);
  pool.ParallelFor(0, 64, 1, [](int64_t, int64_t) {});
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // past the spinning
  const std::clock_t before = std::clock();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  // Three spinning workers would use 600 ms of CPU time (as many as there are cores, at least 200 ms).
  EXPECT_LT(static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC, 0.05);
}

}  // namespace
}  // namespace bdc
