#include "addon/native_job.h"

#include <memory>
#include <new>
#include <stdexcept>
#include <utility>

#include "runtime/error.h"

namespace bdc {
namespace {

Napi::Value MakeError(Napi::Env env, const char* kind, const std::string& code, const std::string& message) {
  const Napi::Object error = Napi::Error::New(env, message).Value();
  error.Set("kind", kind);
  error.Set("code", code);
  return error;
}

const char* NameOf(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kModel:
      return "model";
    case ErrorKind::kCamera:
      return "camera";
    case ErrorKind::kConfiguration:
      break;
  }
  return "configuration";
}

}  // namespace

Napi::Value ToJsError(Napi::Env env, const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const Napi::Error& error) {
    return error.Value();
  } catch (const Error& error) {
    return MakeError(env, NameOf(error.kind()), error.code(), error.what());
  } catch (const AbortedError& error) {
    return MakeError(env, "aborted", "ABORTED", error.what());
  } catch (const std::invalid_argument& error) {  // what ChooseIsa and ThreadPool throw
    return MakeError(env, "configuration", "ENGINE_OPTION", error.what());
  } catch (const std::bad_alloc&) {
    return MakeError(env, "environment", "OUT_OF_MEMORY",
                     "not enough memory: close other programs, or ask for less at a time");
  } catch (const std::exception& error) {
    return MakeError(env, "environment", "NATIVE_FAILED", error.what());
  }
}

NativeJob::NativeJob(Napi::Env env, Work work, Finish finish, std::function<void()> settled)
    : AsyncWorker(env),
      deferred_(env),
      work_(std::move(work)),
      finish_(std::move(finish)),
      settled_(std::move(settled)) {}

Napi::Promise NativeJob::Start(Napi::Env env, Work work, Finish finish, std::function<void()> settled) {
  std::unique_ptr<NativeJob> job(new NativeJob(env, std::move(work), std::move(finish), std::move(settled)));
  const Napi::Promise promise = job->deferred_.Promise();
  job->Queue();
  job.release();  // deletes itself once the promise has settled
  return promise;
}

void NativeJob::Execute() {
  try {
    work_();
  } catch (...) {
    failure_ = std::current_exception();
  }
}

void NativeJob::OnOK() {
  settled_();
  Napi::Value result;
  try {
    if (failure_) std::rethrow_exception(failure_);
    result = finish_(Env());
  } catch (...) {
    deferred_.Reject(ToJsError(Env(), std::current_exception()));
    return;
  }
  deferred_.Resolve(result);
}

}  // namespace bdc
