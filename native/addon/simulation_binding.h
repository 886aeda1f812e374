#pragma once

#include <napi.h>

namespace bdc {

/// Adds `exports.simulation`: buildWorld, renderCamera, scanLidar, voxelize. Each takes one object and
/// returns a promise; the work is done on libuv's threads. src/simulation/native.ts is the typed face and
/// packs the arrays.
void RegisterSimulation(Napi::Env env, Napi::Object exports);

}  // namespace bdc
