#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "ops/parameter.h"
#include "ops/tensor.h"

namespace bdc {

using Attribute = std::variant<double, std::string, std::vector<double>>;

/// One entry of the manifest's graph.operations.
struct OperationSpec {
  std::string name, op, module;
  std::vector<std::string> inputs, outputs;
  std::map<std::string, Attribute, std::less<>> attributes;
  std::map<std::string, std::string, std::less<>> tensors;  // parameter → tensor of the file
};

/// Largest number of cameras a model may take (models/manifest.schema.json).
inline constexpr int kMaxCameras = 32;

/// The manifest's grid: metres, base frame; [nx, ny, nz].
struct GridSpec {
  double min[3], max[3];
  int shape[3];
};

/// Hands an operation's fields to whoever makes it and checks each; every failure is a model error that names
/// the field.
class OperationReader {
 public:
  /// `place`: for messages, e.g. `operations[3] "head.0" (conv2d)`.
  OperationReader(const OperationSpec& spec, std::string place, std::vector<TensorSpec> inputs,
                  const StoredTensors& stored, const GridSpec& grid, int max_cameras)
      : spec_(spec),
        place_(std::move(place)),
        inputs_(std::move(inputs)),
        stored_(stored),
        grid_(grid),
        max_cameras_(max_cameras) {}

  const GridSpec& grid() const { return grid_; }
  int max_cameras() const { return max_cameras_; }

  void ExpectInputs(size_t at_least, size_t at_most) const;
  size_t input_count() const { return inputs_.size(); }
  const TensorSpec& Input(size_t index) const { return inputs_[index]; }
  /// An input that must be of `type`.
  const TensorSpec& Input(size_t index, ElementType type) const;
  /// The only input, real.
  const TensorSpec& OnlyRealInput() const;

  int Int(std::string_view name, int at_least, int at_most);
  /// [rows, columns].
  std::pair<int, int> IntPair(std::string_view name, int at_least, int at_most);
  /// Whether an attribute that may be missing is there.
  bool Has(std::string_view name) const { return spec_.attributes.contains(name); }
  double Number(std::string_view name);
  std::vector<double> Numbers(std::string_view name);
  std::string Choice(std::string_view name, std::initializer_list<std::string_view> choices);

  bool HasTensor(std::string_view name) const { return spec_.tensors.contains(name); }
  /// Its shape in the file, which must have `dimensions` numbers.
  std::vector<int64_t> TensorShape(std::string_view name, size_t dimensions) const;
  /// f32 values, all finite.
  Parameter<float> Floats(std::string_view name, const std::vector<int64_t>& shape);
  /// f32 values, infinite ones allowed.
  Parameter<float> Thresholds(std::string_view name, const std::vector<int64_t>& shape);
  /// i8 values, each +1 or −1.
  Parameter<int8_t> Directions(std::string_view name, const std::vector<int64_t>& shape);
  /// i8 values in −127…127.
  Parameter<int8_t> Int8s(std::string_view name, const std::vector<int64_t>& shape);
  /// u64 words of [O,kh,kw,words]; the bits from `channels` on must be 0.
  Parameter<uint64_t> PackedBits(std::string_view name, const std::vector<int64_t>& shape, int channels);

  void AddOutput(const TensorSpec& spec);
  /// Checks that nothing was left unread and that there are as many outputs as names; returns their specs.
  std::vector<TensorSpec> Finish() const;
  /// Values of all parameters read so far.
  int64_t parameters() const { return parameters_; }

  [[noreturn]] void Fail(std::string_view code, const std::string& field, const std::string& expected,
                         const std::string& found) const;

 private:
  const Attribute& Find(std::string_view name);
  int ToInt(const std::string& field, double value, int at_least, int at_most) const;
  const StoredTensor& Stored(std::string_view name) const;
  const StoredTensor& Read(std::string_view name, std::string_view dtype, const std::vector<int64_t>& shape);

  const OperationSpec& spec_;
  std::string place_;
  std::vector<TensorSpec> inputs_;
  const StoredTensors& stored_;
  const GridSpec& grid_;
  int max_cameras_;
  std::vector<TensorSpec> outputs_;
  std::set<std::string, std::less<>> read_attributes_, read_tensors_;
  int64_t parameters_ = 0;
};

/// `[1, 2, 3]`
std::string ToString(const std::vector<int64_t>& shape);
/// `[cameras, 64, 16, 44]`
std::string ToString(const TensorSpec& spec);

}  // namespace bdc
