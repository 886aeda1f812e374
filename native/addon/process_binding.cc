#include "addon/process_binding.h"

#include <unistd.h>

#include "addon/guarded.h"

namespace bdc {
namespace {

void End(const Napi::CallbackInfo& info) { _exit(info[0].As<Napi::Number>().Int32Value()); }

}  // namespace

void RegisterProcess(Napi::Env env, Napi::Object exports) {
  Napi::Object process = Napi::Object::New(env);
  AddFunction<End>(process, "end");
  exports.Set("process", process);
}

}  // namespace bdc
