#include "runtime/thread_pool.h"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>

#include "runtime/flush_denormals.h"

#if defined(__linux__)
#include <pthread.h>
#endif

namespace bdc {
namespace {

// Longer than the serial code between two operations, far shorter than the time between two frames.
constexpr std::chrono::microseconds kSpin{50};

void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Waits until `ready(value of atomic)`: spinning first, then asleep until notified.
template <typename Ready>
uint32_t SpinThenPark(const std::atomic<uint32_t>& atomic, Ready ready) {
  const auto deadline = std::chrono::steady_clock::now() + kSpin;
  do {
    for (int i = 0; i < 64; ++i) {
      const uint32_t value = atomic.load(std::memory_order_seq_cst);
      if (ready(value)) return value;
      Pause();
    }
  } while (std::chrono::steady_clock::now() < deadline);
  for (;;) {
    const uint32_t value = atomic.load(std::memory_order_seq_cst);
    if (ready(value)) return value;
    atomic.wait(value, std::memory_order_seq_cst);
  }
}

}  // namespace

ThreadPool::ThreadPool(int threads, const ThreadSchedule& schedule) {
  if (threads < 1) {
    throw std::invalid_argument("a thread pool needs at least 1 thread, got " + std::to_string(threads));
  }
  shares_ = std::vector<Share>(static_cast<size_t>(threads));
  workers_.reserve(static_cast<size_t>(threads - 1));
  std::vector<std::vector<std::string>> refused(shares_.size());
  // Not to be touched by a thread that has counted itself: this constructor may be over then.
  const auto apply = [&](int thread) { refused[thread] = ApplySchedule(schedule, thread); };
  try {
    if (!schedule.is_default()) {
      leader_.emplace([this, &apply] {
        apply(0);
        CountStarted();
      });
    }
    for (int i = 1; i < threads; ++i) {
      workers_.emplace_back([this, &apply, i] {
        apply(i);
        CountStarted();
        Work(i);
      });
#if defined(__linux__)
      pthread_setname_np(workers_.back().native_handle(), "bdc-worker");
#endif
    }
  } catch (...) {
    Stop();
    throw;
  }
  const int wanted = threads - 1 + (leader_ ? 1 : 0);
  for (int now; (now = started_.load(std::memory_order_seq_cst)) < wanted;) {
    started_.wait(now, std::memory_order_seq_cst);
  }
  for (const auto& lines : refused) warnings_.insert(warnings_.end(), lines.begin(), lines.end());
}

void ThreadPool::CountStarted() {
  started_.fetch_add(1, std::memory_order_seq_cst);
  started_.notify_one();
}

void ThreadPool::Lead(const std::function<void()>& work) { leader_ ? leader_->Run(work) : work(); }

ThreadPool::~ThreadPool() { Stop(); }

void ThreadPool::Stop() {
  stopping_.store(true, std::memory_order_seq_cst);
  epoch_.fetch_add(2, std::memory_order_seq_cst);  // wakes the workers, opens no job
  epoch_.notify_all();
  for (std::thread& worker : workers_) worker.join();
  leader_.reset();
}

void ThreadPool::Run(int64_t begin, int64_t end, int64_t grain, Invoke invoke, void* callable) {
  if (begin >= end) return;
  grain = std::max<int64_t>(grain, 1);
  if (workers_.empty() || end - begin <= grain || busy_.exchange(true, std::memory_order_acquire)) {
    for (int64_t from = begin; from < end; from += grain) {
      invoke(callable, 0, from, std::min(from + grain, end));
    }
    return;
  }
  job_ = {invoke, callable, grain};
  const int64_t grains = (end - begin + grain - 1) / grain;
  for (int thread = 0; thread < size(); ++thread) {
    shares_[thread].next.store(begin + grains * thread / size() * grain, std::memory_order_relaxed);
    shares_[thread].end = std::min(begin + grains * (thread + 1) / size() * grain, end);
  }
  epoch_.fetch_add(1, std::memory_order_seq_cst);
  epoch_.notify_all();
  TakeRanges(0);
  epoch_.fetch_add(1, std::memory_order_seq_cst);
  SpinThenPark(inside_, [](uint32_t inside) { return inside == 0; });
  busy_.store(false, std::memory_order_release);
}

void ThreadPool::TakeRanges(int thread) {
  const Job job = job_;
  for (int i = 0; i < size(); ++i) {
    Share& share = shares_[(thread + i) % size()];
    for (;;) {
      const int64_t from = share.next.fetch_add(job.grain, std::memory_order_relaxed);
      if (from >= share.end) break;
      job.invoke(job.callable, thread, from, std::min(from + job.grain, share.end));
    }
  }
}

void ThreadPool::Work(int thread) {
  const FlushDenormals flush;
  uint32_t done = 0;  // the epoch this worker last took part in
  for (;;) {
    SpinThenPark(epoch_, [&](uint32_t epoch) {
      return stopping_.load(std::memory_order_seq_cst) || (epoch % 2 == 1 && epoch != done);
    });
    if (stopping_.load(std::memory_order_seq_cst)) return;
    inside_.fetch_add(1, std::memory_order_seq_cst);
    const uint32_t epoch = epoch_.load(std::memory_order_seq_cst);
    if (epoch % 2 == 1) {
      TakeRanges(thread);
      done = epoch;
    }
    if (inside_.fetch_sub(1, std::memory_order_seq_cst) == 1) inside_.notify_one();
  }
}

}  // namespace bdc
