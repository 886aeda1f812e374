#pragma once

#include <napi.h>

namespace bdc {

/// Adds `exports.images`: unpack, remap, release. src/engine/native.ts is the typed face.
void RegisterImages(Napi::Env env, Napi::Object exports);

}  // namespace bdc
