#include "addon/js_reader.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "runtime/error.h"

namespace bdc {
namespace {

constexpr int64_t kMaxSafeInteger = (int64_t{1} << 53) - 1;
constexpr int64_t kMaxInt = std::numeric_limits<int>::max();

template <typename T>
void ReadTriple(const JsReader& list, T* triple) {
  int axis = 0;
  list.ForEach([&](const JsReader& value) {
    if (axis < 3) triple[axis] = static_cast<T>(value.Number());
    ++axis;
  });
  // A list of another length leaves what can't pass the graph's checks.
  if (axis != 3) triple[0] = std::numeric_limits<T>::quiet_NaN();
}

OperationSpec ReadOperation(const JsReader& operation) {
  OperationSpec spec;
  spec.name = operation.Get("name").String();
  spec.op = operation.Get("op").String();
  spec.module = operation.Get("module").String();
  spec.inputs = operation.Get("inputs").Strings();
  spec.outputs = operation.Get("outputs").Strings();
  if (operation.Has("attributes")) {
    operation.Get("attributes").ForEachProperty([&](const std::string& key, const JsReader& value) {
      spec.attributes.emplace(key, value.ToAttribute());
    });
  }
  if (operation.Has("tensors")) {
    operation.Get("tensors").ForEachProperty(
        [&](const std::string& key, const JsReader& value) { spec.tensors.emplace(key, value.String()); });
  }
  return spec;
}

}  // namespace

void JsReader::Fail(const std::string& expected) const {
  throw Napi::TypeError::New(value_.Env(), path_ + ": expected " + expected);
}

Napi::Object JsReader::Object() const {
  if (!value_.IsObject()) Fail("an object");
  return value_.As<Napi::Object>();
}

JsReader JsReader::Get(const char* key) const { return {Object().Get(key), path_ + "." + key}; }

bool JsReader::Has(const char* key) const { return !Object().Get(key).IsUndefined(); }

std::string JsReader::String() const {
  if (!value_.IsString()) Fail("a string");
  return value_.As<Napi::String>().Utf8Value();
}

double JsReader::Number() const {
  if (!value_.IsNumber()) Fail("a number");
  return value_.As<Napi::Number>().DoubleValue();
}

int64_t JsReader::Int(int64_t at_least, int64_t at_most) const {
  const double number = Number();
  if (!(number >= static_cast<double>(at_least) && number <= static_cast<double>(at_most)) ||
      number != std::floor(number)) {
    Fail("an integer in " + std::to_string(at_least) + "…" + std::to_string(at_most));
  }
  return static_cast<int64_t>(number);
}

void JsReader::ForEach(const std::function<void(JsReader)>& visit) const {
  if (!value_.IsArray()) Fail("an array");
  const auto array = value_.As<Napi::Array>();
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const Napi::HandleScope scope(value_.Env());
    visit({array.Get(i), path_ + "[" + std::to_string(i) + "]"});
  }
}

void JsReader::ForEachProperty(const std::function<void(const std::string&, JsReader)>& visit) const {
  const Napi::Object object = Object();
  const Napi::Array keys = object.GetPropertyNames();
  for (uint32_t i = 0; i < keys.Length(); ++i) {
    const Napi::HandleScope scope(value_.Env());
    const std::string key = keys.Get(i).ToString().Utf8Value();
    visit(key, {object.Get(key), path_ + "." + key});
  }
}

std::vector<int64_t> JsReader::Ints(int64_t at_least, int64_t at_most) const {
  std::vector<int64_t> ints;
  ForEach([&](const JsReader& value) { ints.push_back(value.Int(at_least, at_most)); });
  return ints;
}

std::vector<std::string> JsReader::Strings() const {
  std::vector<std::string> strings;
  ForEach([&](const JsReader& value) { strings.push_back(value.String()); });
  return strings;
}

Napi::Float32Array JsReader::Floats() const {
  if (!value_.IsTypedArray() || value_.As<Napi::TypedArray>().TypedArrayType() != napi_float32_array) {
    Fail("a Float32Array");
  }
  return value_.As<Napi::Float32Array>();
}

Napi::Uint8Array JsReader::Bytes() const {
  if (!value_.IsTypedArray() || value_.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    Fail("a Uint8Array");
  }
  return value_.As<Napi::Uint8Array>();
}

Attribute JsReader::ToAttribute() const {
  if (value_.IsNumber()) return Number();
  if (value_.IsString()) return String();
  if (!value_.IsArray()) Fail("a number, a string or an array of numbers");
  std::vector<double> numbers;
  ForEach([&](const JsReader& value) { numbers.push_back(value.Number()); });
  return numbers;
}

ModelDescription ReadModelDescription(const JsReader& model) {
  ModelDescription description;
  description.data_offset = model.Get("dataOffset").Int(0, kMaxSafeInteger);
  model.Get("tensors").ForEach([&](const JsReader& tensor) {
    description.tensors.push_back({tensor.Get("name").String(), tensor.Get("dtype").String(),
                                   tensor.Get("shape").Ints(0, kMaxSafeInteger),
                                   tensor.Get("begin").Int(0, kMaxSafeInteger),
                                   tensor.Get("end").Int(0, kMaxSafeInteger)});
  });
  model.Get("inputs").ForEach([&](const JsReader& input) {
    description.inputs.push_back({input.Get("name").String(), input.Get("shape").Ints(0, kMaxSafeInteger)});
  });
  model.Get("operations").ForEach([&](const JsReader& operation) {
    description.operations.push_back(ReadOperation(operation));
  });
  model.Get("outputs").ForEach([&](const JsReader& output) {
    description.outputs.push_back({output.Get("role").String(), output.Get("tensor").String()});
  });
  const JsReader images = model.Get("images");
  description.images.width = static_cast<int>(images.Get("width").Int(1, kMaxInt));
  description.images.height = static_cast<int>(images.Get("height").Int(1, kMaxInt));
  ReadTriple(images.Get("mean"), description.images.mean);
  ReadTriple(images.Get("std"), description.images.std);
  const JsReader grid = model.Get("grid");
  ReadTriple(grid.Get("min"), description.grid.min);
  ReadTriple(grid.Get("max"), description.grid.max);
  const auto shape = grid.Get("shape").Ints(1, kMaxInt);
  for (size_t axis = 0; axis < 3; ++axis) {
    description.grid.shape[axis] = shape.size() == 3 ? static_cast<int>(shape[axis]) : 0;
  }
  description.max_cameras = static_cast<int>(model.Get("cameras").Int(0, kMaxInt));
  return description;
}

RigRays ReadRigRays(const JsReader& rig) {
  RigRays rays;
  rays.cameras = static_cast<int>(rig.Get("cameras").Int(0, kMaxCameras));
  rays.height = static_cast<int>(rig.Get("height").Int(0, 65535));
  rays.width = static_cast<int>(rig.Get("width").Int(0, 65535));
  const auto directions = rig.Get("rays").Floats(), origins = rig.Get("origins").Floats();
  rays.rays.assign(directions.Data(), directions.Data() + directions.ElementLength());
  rays.origins.assign(origins.Data(), origins.Data() + origins.ElementLength());
  if (rig.Has("parameters")) {
    const auto parameters = rig.Get("parameters").Floats();
    rays.parameters.assign(parameters.Data(), parameters.Data() + parameters.ElementLength());
  }
  return rays;
}

RigidMotion ReadRigidMotion(const JsReader& motion) {
  std::vector<double> numbers;
  motion.ForEach([&](const JsReader& value) { numbers.push_back(value.Number()); });
  if (numbers.size() != 12 ||
      !std::all_of(numbers.begin(), numbers.end(), [](double number) { return std::isfinite(number); })) {
    throw Error(ErrorKind::kConfiguration, "MOTION_INVALID",
                "motion: expected the 12 finite numbers of a 3×4 matrix, found " +
                    std::to_string(numbers.size()) + ", or some that are not finite");
  }
  RigidMotion read;
  std::copy(numbers.begin(), numbers.end(), read.previous_from_current);
  return read;
}

}  // namespace bdc
