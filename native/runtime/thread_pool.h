#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "runtime/task_thread.h"
#include "runtime/thread_schedule.h"

namespace bdc {

/// Threads that share the iterations of one loop. Between loops a worker spins for a moment, because the next
/// operation of a network follows within microseconds, and then sleeps, so an idle pool takes no CPU time.
///
/// Each thread begins with a share of its own, the same part of the range in every loop, so that it mostly
/// reads what it wrote in the loop before and finds it in its own cache; who is done takes from the others'
/// shares, so that a thread that wakes late, or has other work on its core, is not waited for.
class ThreadPool {
 public:
  /// `threads` counts the one that calls ParallelFor, so 1 starts none unless there is a schedule. Throws
  /// std::invalid_argument below 1 and std::system_error if a thread can't be started.
  explicit ThreadPool(int threads, const ThreadSchedule& schedule = {});
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return static_cast<int>(shares_.size()); }
  /// What the system refused of the schedule.
  const std::vector<std::string>& warnings() const { return warnings_; }

  /// Does `work`, which calls ParallelFor, and returns, throwing what it threw. With a schedule another
  /// thread does it, which has that schedule: the caller's own may not be the pool's to change.
  void Lead(const std::function<void()>& work);

  /// Calls `body(thread, from, to)`, or `body(from, to)`, for ranges of at most `grain` (≥ 1) iterations that
  /// cover [begin, end) exactly once; returns when all are done. `thread` < size(); calls with the same one
  /// follow each other. Allocates nothing. An exception that leaves `body` ends the process. A call made
  /// while another is running on this pool (from inside `body`, or from another thread) does its whole range
  /// alone, as thread 0.
  template <typename Body>
  void ParallelFor(int64_t begin, int64_t end, int64_t grain, Body&& body) {
    using Callable = std::remove_reference_t<Body>;
    Run(
        begin, end, grain,
        [](void* callable, int thread, int64_t from, int64_t to) noexcept {
          Callable& call = *static_cast<Callable*>(callable);
          if constexpr (std::is_invocable_v<Callable&, int, int64_t, int64_t>) {
            call(thread, from, to);
          } else {
            call(from, to);
          }
        },
        const_cast<void*>(static_cast<const void*>(std::addressof(body))));
  }

 private:
  using Invoke = void (*)(void* callable, int thread, int64_t from, int64_t to) noexcept;

  struct Job {
    Invoke invoke;
    void* callable;
    int64_t grain;
  };

  /// A thread's part of the range, on a cache line of its own.
  struct alignas(64) Share {
    std::atomic<int64_t> next{0};  // first iteration nobody has taken
    int64_t end = 0;
  };

  void Run(int64_t begin, int64_t end, int64_t grain, Invoke invoke, void* callable);
  void TakeRanges(int thread);
  void Work(int thread);
  void CountStarted();
  void Stop();

  Job job_{};
  std::vector<Share> shares_;      // one for each thread
  std::atomic<bool> busy_{false};  // a ParallelFor is running
  std::atomic<bool> stopping_{false};
  // Odd while job_ and shares_ may be read. A worker counts itself in before it looks, so once the caller has
  // made the epoch even and seen no worker counted in, they are the caller's alone.
  std::atomic<uint32_t> epoch_{0};
  std::atomic<uint32_t> inside_{0};
  std::vector<std::string> warnings_;
  std::atomic<int> started_{0};       // threads that have their schedule
  std::optional<TaskThread> leader_;  // thread 0, if the pool has a schedule
  std::vector<std::thread> workers_;  // threads 1, 2, …
};

}  // namespace bdc
