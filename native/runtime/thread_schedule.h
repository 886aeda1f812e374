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

/// Makes the calling thread the `thread`-th of `schedule`. Returns what the system refused, for people; it
/// goes on without. Cores that don't exist, or that the process may not use, are refused too.
std::vector<std::string> ApplySchedule(const ThreadSchedule& schedule, int thread);

}  // namespace bdc
