#include <gtest/gtest.h>

// Sanitizers end the process where memory runs out; emulators of other processors keep no limit.
#if defined(__linux__) && defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <new>

#include "graph_tester.h"

namespace bdc {
namespace {

int64_t AddressSpaceBytes() {
  long long pages = 0;
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr || std::fscanf(file, "%lld", &pages) != 1) std::abort();
  std::fclose(file);
  return pages * sysconf(_SC_PAGESIZE);
}

/// Runs out of memory between the arena and the last of the history, then has enough.
void RunOutOfMemoryOnce() {
  constexpr int kSide = 2048;
  constexpr int64_t kMapBytes = int64_t{kSide} * kSide * static_cast<int64_t>(sizeof(float));
  ModelBuilder model;
  model.Input("x", {1, 1, kSide, kSide});
  model.Add("align_previous", "y", {"x"});
  Executor executor(model.Build(), Isa::kPortable, 1, EngineMode::kFast);
  const std::vector<int64_t> shape = {1, 1, kSide, kSide};
  const std::vector<float> x(static_cast<size_t>(kSide) * kSide, 1.0f);
  std::vector<float> y(x.size());
  const std::vector<void*> outputs = {y.data()};

  rlimit unlimited{};
  getrlimit(RLIMIT_AS, &unlimited);
  const int64_t enough_for_one_map = executor.arena_bytes() + kMapBytes * 3 / 2;
  rlimit tight = unlimited;
  tight.rlim_cur = static_cast<rlim_t>(AddressSpaceBytes() + enough_for_one_map);
  setrlimit(RLIMIT_AS, &tight);
  bool ran_out = false;
  try {
    executor.StageTensor(0, shape, x);
  } catch (const std::bad_alloc&) {
    ran_out = true;
  }
  setrlimit(RLIMIT_AS, &unlimited);
  if (!ran_out) std::fprintf(stderr, "the limit was not kept\n");

  const RigidMotion still{{1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0}};
  for (int frame = 0; frame < 2; ++frame) {
    executor.StageTensor(0, shape, x);
    executor.Run({}, outputs, &still);
  }
  std::fprintf(stderr, "the second frame shows %g\n", static_cast<double>(y[kSide / 2 * kSide + kSide / 2]));
  std::exit(ran_out ? 0 : 1);
}

TEST(ExecutorDeathTest, TriesAgainAfterMemoryRanOut) {
  // A process of its own, which is limited, and none of whose memory another test has freed.
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(RunOutOfMemoryOnce(), ::testing::ExitedWithCode(0), "the second frame shows 1");
}

}  // namespace
}  // namespace bdc
#endif
