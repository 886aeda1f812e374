#pragma once

#include <optional>
#include <string>
#include <vector>

namespace bdc {

/// Where and how urgently threads run; as the process does by default.
struct ThreadSchedule {
  /// Thread i runs on cores[i mod size] alone; empty: wherever the process may.
  std::vector<int> cores;
  std::optional<int> nice;
  /// Under SCHED_FIFO, 1 … 99.
  std::optional<int> realtime_priority;

  bool is_default() const { return cores.empty() && !nice && !realtime_priority; }
};

/// `schedule`, and, if it names no cores and there is a thread for each core that the process may use, one of
/// these for each. Schedulers that would rather keep a core idle wake a worker on its waker's core, and the
/// two take turns for a whole frame: with pauses between frames, two threads were then as slow as one.
ThreadSchedule OnOwnCores(const ThreadSchedule& schedule, int threads);

/// Makes the calling thread the `thread`-th of `schedule`. Returns what the system refused, for people; it
/// goes on without. Cores that don't exist, or that the process may not use, are refused too.
std::vector<std::string> ApplySchedule(const ThreadSchedule& schedule, int thread);

}  // namespace bdc
