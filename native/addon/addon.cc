#include <napi.h>

#include "addon/engine_binding.h"
#include "addon/image_binding.h"
#include "addon/process_binding.h"
#include "addon/simulation_binding.h"

namespace {

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("napiVersion", Napi::Number::New(env, NAPI_VERSION));
  bdc::RegisterEngine(env, exports);
  bdc::RegisterImages(env, exports);
  bdc::RegisterProcess(env, exports);
  bdc::RegisterSimulation(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(bdc_occ, Init)
