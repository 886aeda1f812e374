#include "runtime/task_thread.h"

#include <exception>
#include <utility>

#if defined(__linux__)
#include <pthread.h>
#endif

namespace bdc {

TaskThread::TaskThread(std::function<void()> start)
    : thread_([this, start = std::move(start)] {
        start();
        Work();
      }) {
#if defined(__linux__)
  pthread_setname_np(thread_.native_handle(), "bdc-worker");
#endif
}

TaskThread::~TaskThread() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void TaskThread::Run(const std::function<void()>& task) {
  std::unique_lock lock(mutex_);
  task_ = &task;
  failure_ = nullptr;
  changed_.notify_all();
  changed_.wait(lock, [this] { return task_ == nullptr; });
  if (failure_) std::rethrow_exception(failure_);
}

void TaskThread::Work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return task_ != nullptr || is_stopping_; });
    if (is_stopping_) return;
    lock.unlock();
    std::exception_ptr failure;
    try {
      (*task_)();
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    failure_ = failure;
    task_ = nullptr;
    changed_.notify_all();
  }
}

}  // namespace bdc
