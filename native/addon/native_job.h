#pragma once

#include <napi.h>

#include <exception>
#include <functional>

namespace bdc {

/// Runs `work` on a libuv thread, then settles a promise with what `finish` makes on the event loop. What
/// either throws rejects it as ToJsError says.
class NativeJob : public Napi::AsyncWorker {
 public:
  using Work = std::function<void()>;
  using Finish = std::function<Napi::Value(Napi::Env)>;

  /// `settled` is called on the event loop before the promise settles, however it does.
  static Napi::Promise Start(
      Napi::Env env, Work work, Finish finish, std::function<void()> settled = [] {});

 private:
  NativeJob(Napi::Env env, Work work, Finish finish, std::function<void()> settled);

  void Execute() override;
  void OnOK() override;

  Napi::Promise::Deferred deferred_;
  Work work_;
  Finish finish_;
  std::function<void()> settled_;
  std::exception_ptr failure_;
};

/// The JavaScript error for what native code threw. A bdc::Error becomes one that has `kind` and `code`; an
/// AbortedError one with code `ABORTED`; lack of memory one of kind `environment`; JavaScript's own stay.
Napi::Value ToJsError(Napi::Env env, const std::exception_ptr& failure);

}  // namespace bdc
