#include "runtime/thread_schedule.h"

#if defined(__linux__)
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#endif

namespace bdc {

#if defined(__linux__)

ThreadSchedule OnOwnCores(const ThreadSchedule& schedule, int threads) {
  cpu_set_t allowed;
  if (threads < 2 || !schedule.cores.empty() || sched_getaffinity(0, sizeof allowed, &allowed) != 0 ||
      CPU_COUNT(&allowed) != threads) {
    return schedule;
  }
  ThreadSchedule pinned = schedule;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(static_cast<size_t>(core), &allowed)) pinned.cores.push_back(core);
  }
  return pinned;
}

std::vector<std::string> ApplySchedule(const ThreadSchedule& schedule, int thread) {
  std::vector<std::string> refused;
  const auto refuse = [&](const std::string& wish, int error, const std::string& remedy) {
    refused.push_back("thread " + std::to_string(thread) + " can't " + wish + ": " + std::strerror(error) +
                      "; it runs without. " + remedy);
  };
  if (!schedule.cores.empty()) {
    const int core = schedule.cores[static_cast<size_t>(thread) % schedule.cores.size()];
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<size_t>(core), &set);
    const int error = pthread_setaffinity_np(pthread_self(), sizeof set, &set);
    if (error != 0) {
      refuse("be pinned to core " + std::to_string(core), error,
             "Name cores that this machine has and the process may use (taskset -pc $$)");
    }
  }
  if (schedule.nice) {
    const auto self = static_cast<id_t>(syscall(SYS_gettid));
    if (setpriority(PRIO_PROCESS, self, *schedule.nice) != 0) {
      refuse("have nice value " + std::to_string(*schedule.nice), errno,
             "Values below the process's own need CAP_SYS_NICE or a higher limit (ulimit -e, LimitNICE=)");
    }
  }
  if (schedule.realtime_priority) {
    const sched_param parameter{.sched_priority = *schedule.realtime_priority};
    const int error = pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameter);
    if (error != 0) {
      refuse("have SCHED_FIFO priority " + std::to_string(*schedule.realtime_priority), error,
             "It needs CAP_SYS_NICE or a higher limit (ulimit -r, LimitRTPRIO=)");
    }
  }
  return refused;
}

#else

ThreadSchedule OnOwnCores(const ThreadSchedule& schedule, int) { return schedule; }

std::vector<std::string> ApplySchedule(const ThreadSchedule& schedule, int thread) {
  if (schedule.is_default() || thread != 0) return {};
  return {"affinity and priority of threads are for Linux only; the threads run as the process does"};
}

#endif

}  // namespace bdc
