#pragma once

#include <napi.h>

#include <functional>
#include <utility>

namespace bdc {

/// Runs `work` on a libuv thread, then settles a promise on the event loop with what `wrap` makes of its
/// result. An exception in either rejects the promise.
template <typename Result>
class PromiseWorker : public Napi::AsyncWorker {
 public:
  using Work = std::function<Result()>;
  using Wrap = std::function<Napi::Value(Napi::Env, Result&)>;

  static Napi::Promise Start(Napi::Env env, Work work, Wrap wrap) {
    auto* worker =
        new PromiseWorker(env, std::move(work), std::move(wrap));  // deletes itself after it settled
    const Napi::Promise promise = worker->deferred_.Promise();
    worker->Queue();
    return promise;
  }

 private:
  PromiseWorker(Napi::Env env, Work work, Wrap wrap)
      : AsyncWorker(env), deferred_(env), work_(std::move(work)), wrap_(std::move(wrap)) {}

  void Execute() override { result_ = work_(); }
  void OnOK() override {
    try {
      deferred_.Resolve(wrap_(Env(), result_));
    } catch (const Napi::Error& error) {
      deferred_.Reject(error.Value());
    }
  }
  void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }

  Napi::Promise::Deferred deferred_;
  Work work_;
  Wrap wrap_;
  Result result_{};
};

}  // namespace bdc
