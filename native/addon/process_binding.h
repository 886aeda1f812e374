#pragma once

#include <napi.h>

namespace bdc {

/// Adds `exports.process`: end. src/engine/native.ts is the typed face.
void RegisterProcess(Napi::Env env, Napi::Object exports);

}  // namespace bdc
