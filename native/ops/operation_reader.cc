#include "ops/operation_reader.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <sstream>

#include "runtime/error.h"

namespace bdc {
namespace {

// Keeps every count of elements of one image, or of a fixed batch, in an int.
constexpr int64_t kMaxElements = std::numeric_limits<int>::max();

std::string_view TypeName(ElementType type) {
  switch (type) {
    case ElementType::kBits:
      return "bits";
    case ElementType::kUint8:
      return "u8";
    case ElementType::kSignPlanes:
    case ElementType::kFloat16:
    case ElementType::kInt8:
    case ElementType::kFloat32:
      break;
  }
  return "real";
}

std::string Quoted(std::string_view text) {
  std::string quoted(1, '"');
  return quoted.append(text).append(1, '"');
}

template <typename Number>
std::string Text(Number value) {
  std::ostringstream out;
  out << value;
  return out.str();
}

std::string Describe(const Attribute& attribute) {
  if (const auto* text = std::get_if<std::string>(&attribute)) return Quoted(*text);
  if (const auto* number = std::get_if<double>(&attribute)) return Text(*number);
  std::string list;
  for (double value : std::get<std::vector<double>>(attribute)) {
    list.append(list.empty() ? "[" : ", ").append(Text(value));
  }
  return list.empty() ? "[]" : list.append(1, ']');
}

template <typename T>
T ValueAt(std::span<const std::byte> bytes, size_t index) {
  T value;
  std::memcpy(&value, bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

}  // namespace

std::string ToString(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

std::string ToString(const TensorSpec& spec) {
  std::string text = ToString({spec.batch, spec.channels, spec.height, spec.width});
  if (spec.batch == TensorSpec::kPerCamera) text.replace(1, 1, "cameras");
  return text;
}

void OperationReader::Fail(std::string_view code, const std::string& field, const std::string& expected,
                           const std::string& found) const {
  throw Error(ErrorKind::kModel, std::string(code),
              place_ + ": " + field + ": expected " + expected + ", found " + found);
}

void OperationReader::ExpectInputs(size_t at_least, size_t at_most) const {
  if (inputs_.size() >= at_least && inputs_.size() <= at_most) return;
  const std::string expected =
      at_least == at_most ? std::to_string(at_least) : "at least " + std::to_string(at_least);
  Fail("MODEL_INPUT_COUNT", "inputs", expected, std::to_string(inputs_.size()));
}

const TensorSpec& OperationReader::Input(size_t index, ElementType type) const {
  const TensorSpec& input = inputs_[index];
  if (input.type != type) {
    Fail("MODEL_INPUT_TYPE", "input " + Quoted(spec_.inputs[index]), std::string(TypeName(type)),
         std::string(TypeName(input.type)));
  }
  return input;
}

const TensorSpec& OperationReader::OnlyRealInput() const {
  ExpectInputs(1, 1);
  return Input(0, ElementType::kFloat32);
}

const Attribute& OperationReader::Find(std::string_view name) {
  const auto found = spec_.attributes.find(name);
  if (found == spec_.attributes.end()) {
    Fail("MODEL_ATTRIBUTE", "attributes." + std::string(name), "a value", "none");
  }
  read_attributes_.emplace(name);
  return found->second;
}

int OperationReader::ToInt(const std::string& field, double value, int at_least, int at_most) const {
  if (!(value >= at_least && value <= at_most) || value != std::floor(value)) {
    Fail("MODEL_ATTRIBUTE", field, "an integer in " + Text(at_least) + "…" + Text(at_most), Text(value));
  }
  return static_cast<int>(value);
}

int OperationReader::Int(std::string_view name, int at_least, int at_most) {
  const std::string field = "attributes." + std::string(name);
  const Attribute& attribute = Find(name);
  const auto* number = std::get_if<double>(&attribute);
  if (!number) Fail("MODEL_ATTRIBUTE", field, "an integer", Describe(attribute));
  return ToInt(field, *number, at_least, at_most);
}

std::pair<int, int> OperationReader::IntPair(std::string_view name, int at_least, int at_most) {
  const std::string field = "attributes." + std::string(name);
  const Attribute& attribute = Find(name);
  const auto* list = std::get_if<std::vector<double>>(&attribute);
  if (!list || list->size() != 2) {
    Fail("MODEL_ATTRIBUTE", field, "two integers [rows, columns]", Describe(attribute));
  }
  return {ToInt(field, (*list)[0], at_least, at_most), ToInt(field, (*list)[1], at_least, at_most)};
}

double OperationReader::Number(std::string_view name) {
  const Attribute& attribute = Find(name);
  const auto* number = std::get_if<double>(&attribute);
  if (!number) Fail("MODEL_ATTRIBUTE", "attributes." + std::string(name), "a number", Describe(attribute));
  return *number;
}

std::vector<double> OperationReader::Numbers(std::string_view name) {
  const Attribute& attribute = Find(name);
  const auto* list = std::get_if<std::vector<double>>(&attribute);
  if (!list) {
    Fail("MODEL_ATTRIBUTE", "attributes." + std::string(name), "a list of numbers", Describe(attribute));
  }
  return *list;
}

std::string OperationReader::Choice(std::string_view name, std::initializer_list<std::string_view> choices) {
  const Attribute& attribute = Find(name);
  const auto* text = std::get_if<std::string>(&attribute);
  std::string expected;
  for (std::string_view choice : choices) {
    if (text && *text == choice) return *text;
    expected += (expected.empty() ? "" : " or ") + Quoted(choice);
  }
  Fail("MODEL_ATTRIBUTE", "attributes." + std::string(name), expected, Describe(attribute));
}

const StoredTensor& OperationReader::Stored(std::string_view name) const {
  const std::string field = "tensors." + std::string(name);
  const auto reference = spec_.tensors.find(name);
  if (reference == spec_.tensors.end()) Fail("MODEL_TENSOR_MISSING", field, "the name of a tensor", "none");
  const auto stored = stored_.find(reference->second);
  if (stored == stored_.end()) {
    Fail("MODEL_TENSOR_MISSING", field, "a tensor of this file",
         Quoted(reference->second) + ", which the file does not hold");
  }
  return stored->second;
}

std::vector<int64_t> OperationReader::TensorShape(std::string_view name, size_t dimensions) const {
  const StoredTensor& stored = Stored(name);
  const std::string field = "tensors." + std::string(name);
  if (stored.shape.size() != dimensions) {
    Fail("MODEL_TENSOR_SHAPE", field, std::to_string(dimensions) + " dimensions", ToString(stored.shape));
  }
  for (int64_t size : stored.shape) {
    if (size < 1 || size > kMaxElements) {
      Fail("MODEL_TENSOR_SHAPE", field, "sizes of 1 or more", ToString(stored.shape));
    }
  }
  return stored.shape;
}

const StoredTensor& OperationReader::Read(std::string_view name, std::string_view dtype,
                                          const std::vector<int64_t>& shape) {
  const StoredTensor& stored = Stored(name);
  const std::string field = "tensors." + std::string(name);
  if (stored.dtype != dtype) Fail("MODEL_TENSOR_TYPE", field, std::string(dtype), stored.dtype);
  if (stored.shape != shape) Fail("MODEL_TENSOR_SHAPE", field, ToString(shape), ToString(stored.shape));
  if (read_tensors_.emplace(name).second) {
    int64_t values = 1;
    for (int64_t size : shape) values *= size;
    parameters_ += values;
  }
  return stored;
}

Parameter<float> OperationReader::Floats(std::string_view name, const std::vector<int64_t>& shape) {
  const StoredTensor& stored = Read(name, "F32", shape);
  for (size_t i = 0; i < stored.bytes.size() / 4; ++i) {
    const float value = ValueAt<float>(stored.bytes, i);
    if (!std::isfinite(value)) {
      Fail("MODEL_TENSOR_VALUE", "tensors." + std::string(name), "finite numbers",
           Text(value) + " at index " + std::to_string(i));
    }
  }
  return Parameter<float>(stored.bytes);
}

Parameter<float> OperationReader::Thresholds(std::string_view name, const std::vector<int64_t>& shape) {
  const StoredTensor& stored = Read(name, "F32", shape);
  for (size_t i = 0; i < stored.bytes.size() / 4; ++i) {
    if (std::isnan(ValueAt<float>(stored.bytes, i))) {
      Fail("MODEL_TENSOR_VALUE", "tensors." + std::string(name), "numbers or ±infinity",
           "NaN at index " + std::to_string(i));
    }
  }
  return Parameter<float>(stored.bytes);
}

Parameter<int8_t> OperationReader::Directions(std::string_view name, const std::vector<int64_t>& shape) {
  const StoredTensor& stored = Read(name, "I8", shape);
  for (size_t i = 0; i < stored.bytes.size(); ++i) {
    const auto value = ValueAt<int8_t>(stored.bytes, i);
    if (value != 1 && value != -1) {
      Fail("MODEL_TENSOR_VALUE", "tensors." + std::string(name), "+1 or -1",
           std::to_string(value) + " at index " + std::to_string(i));
    }
  }
  return Parameter<int8_t>(stored.bytes);
}

Parameter<int8_t> OperationReader::Int8s(std::string_view name, const std::vector<int64_t>& shape) {
  const StoredTensor& stored = Read(name, "I8", shape);
  for (size_t i = 0; i < stored.bytes.size(); ++i) {
    if (ValueAt<int8_t>(stored.bytes, i) == -128) {
      Fail("MODEL_TENSOR_VALUE", "tensors." + std::string(name), "numbers in -127…127",
           "-128 at index " + std::to_string(i));
    }
  }
  return Parameter<int8_t>(stored.bytes);
}

Parameter<uint64_t> OperationReader::PackedBits(std::string_view name, const std::vector<int64_t>& shape,
                                                int channels) {
  const StoredTensor& stored = Read(name, "U64", shape);
  const int words = WordsOf(channels);
  const int used = channels % 64;
  const uint64_t padding = used == 0 ? 0 : ~uint64_t{0} << used;
  for (size_t i = words - 1; i < stored.bytes.size() / 8; i += words) {
    if (ValueAt<uint64_t>(stored.bytes, i) & padding) {
      Fail("MODEL_TENSOR_VALUE", "tensors." + std::string(name),
           "zero bits after channel " + std::to_string(channels - 1), "a one in word " + std::to_string(i));
    }
  }
  return Parameter<uint64_t>(stored.bytes);
}

void OperationReader::AddOutput(const TensorSpec& spec) {
  // Where the batch is fixed it counts: else its bytes could overflow.
  const bool per_camera = spec.batch == TensorSpec::kPerCamera;
  int64_t elements = per_camera ? 1 : spec.batch;
  for (int size : {spec.channels, spec.height, spec.width}) {
    if (size < 1 || size > kMaxSize) Fail("MODEL_SHAPE", "output", "sizes in 1…2^30", ToString(spec));
    elements *= size;
    if (elements > kMaxElements) {
      Fail("MODEL_SHAPE", "output", per_camera ? "fewer than 2^31 values an image" : "fewer than 2^31 values",
           ToString(spec));
    }
  }
  outputs_.push_back(spec);
}

std::vector<TensorSpec> OperationReader::Finish() const {
  for (const auto& [name, value] : spec_.attributes) {
    if (!read_attributes_.contains(name)) {
      Fail("MODEL_ATTRIBUTE", "attributes." + name, "nothing (the operation has no such attribute)",
           Describe(value));
    }
  }
  for (const auto& [name, tensor] : spec_.tensors) {
    if (!read_tensors_.contains(name)) {
      Fail("MODEL_TENSOR_UNKNOWN", "tensors." + name, "nothing (the operation has no such tensor)",
           Quoted(tensor));
    }
  }
  if (spec_.outputs.size() != outputs_.size()) {
    Fail("MODEL_OUTPUT_COUNT", "outputs", std::to_string(outputs_.size()),
         std::to_string(spec_.outputs.size()));
  }
  return outputs_;
}

}  // namespace bdc
