#pragma once

#include <napi.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "graph/model_description.h"
#include "ops/operation.h"
#include "ops/projection.h"

namespace bdc {

/// A JavaScript value with the path that leads to it; each reading checks the type and throws a TypeError
/// that names the path, so that no value whatever reaches native code unchecked.
class JsReader {
 public:
  JsReader(Napi::Value value, std::string path) : value_(value), path_(std::move(path)) {}

  JsReader Get(const char* key) const;
  bool Has(const char* key) const;
  std::string String() const;
  double Number() const;
  /// An integer in [at_least, at_most]; the range must lie within ±2^53.
  int64_t Int(int64_t at_least, int64_t at_most) const;
  void ForEach(const std::function<void(JsReader)>& visit) const;
  /// Own properties of a plain object.
  void ForEachProperty(const std::function<void(const std::string& key, JsReader)>& visit) const;
  std::vector<int64_t> Ints(int64_t at_least, int64_t at_most) const;
  std::vector<std::string> Strings() const;
  Napi::Float32Array Floats() const;
  Napi::Uint8Array Bytes() const;
  Attribute ToAttribute() const;

 private:
  [[noreturn]] void Fail(const std::string& expected) const;
  Napi::Object Object() const;

  Napi::Value value_;
  std::string path_;
};

ModelDescription ReadModelDescription(const JsReader& model);
RigRays ReadRigRays(const JsReader& rig);
/// Six finite numbers.
RigidMotion ReadRigidMotion(const JsReader& motion);

}  // namespace bdc
