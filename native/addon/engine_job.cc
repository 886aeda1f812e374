#include "addon/engine_job.h"

#include <new>
#include <stdexcept>

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
  } catch (const Error& error) {
    return MakeError(env, NameOf(error.kind()), error.code(), error.what());
  } catch (const AbortedError& error) {
    return MakeError(env, "aborted", "ABORTED", error.what());
  } catch (const std::invalid_argument& error) {  // what ChooseIsa and ThreadPool throw
    return MakeError(env, "configuration", "ENGINE_OPTION", error.what());
  } catch (const std::bad_alloc&) {
    return MakeError(env, "environment", "OUT_OF_MEMORY", "not enough memory for this model");
  } catch (const std::exception& error) {
    return MakeError(env, "environment", "ENGINE_FAILED", error.what());
  }
}

EngineJob::EngineJob(Napi::Env env, Work work, Finish finish, std::function<void()> settled)
    : AsyncWorker(env),
      deferred_(env),
      work_(std::move(work)),
      finish_(std::move(finish)),
      settled_(std::move(settled)) {}

Napi::Promise EngineJob::Start(Napi::Env env, Work work, Finish finish, std::function<void()> settled) {
  auto* job = new EngineJob(env, std::move(work), std::move(finish), std::move(settled));  // deletes itself
  const Napi::Promise promise = job->deferred_.Promise();
  job->Queue();
  return promise;
}

void EngineJob::Execute() {
  try {
    work_();
  } catch (...) {
    failure_ = std::current_exception();
  }
}

void EngineJob::OnOK() {
  settled_();
  if (failure_) {
    deferred_.Reject(ToJsError(Env(), failure_));
    return;
  }
  try {
    deferred_.Resolve(finish_(Env()));
  } catch (const Napi::Error& error) {
    deferred_.Reject(error.Value());
  }
}

}  // namespace bdc
