#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace bdc {

/// A thread that does what its callers wait for, one task at a time.
class TaskThread {
 public:
  /// `start` is the first thing that the thread does. Throws std::system_error if it can't be started.
  explicit TaskThread(std::function<void()> start);
  ~TaskThread();
  TaskThread(const TaskThread&) = delete;
  TaskThread& operator=(const TaskThread&) = delete;

  /// Returns when the thread has done `task`, throwing what it threw. One call at a time.
  void Run(const std::function<void()>& task);

 private:
  void Work();

  std::mutex mutex_;
  std::condition_variable changed_;
  const std::function<void()>* task_ = nullptr;  // null: none, or done
  std::exception_ptr failure_;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace bdc
