#pragma once

#include <napi.h>

#include <exception>

#include "addon/native_job.h"

namespace bdc {

/// An entry point that throws nothing but JavaScript exceptions: any other would end the process, as it would
/// have to leave through Node's C functions.
template <auto kEntry>
auto Guarded(const Napi::CallbackInfo& info) {
  try {
    return kEntry(info);
  } catch (const Napi::Error&) {
    throw;
  } catch (...) {
    throw Napi::Error(info.Env(), ToJsError(info.Env(), std::current_exception()));
  }
}

/// Adds `kEntry`, guarded, as a function of `object`.
template <auto kEntry>
void AddFunction(Napi::Object object, const char* name) {
  object.Set(name, Napi::Function::New(object.Env(), Guarded<kEntry>, name));
}

}  // namespace bdc
