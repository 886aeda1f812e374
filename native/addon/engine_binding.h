#pragma once

#include <napi.h>

namespace bdc {

/// Adds `exports.engine`: supportedIsas, load, setRig, run, abort, dispose. src/engine/native.ts is the typed
/// face.
void RegisterEngine(Napi::Env env, Napi::Object exports);

}  // namespace bdc
