#pragma once

#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "runtime/executor.h"

namespace bdc {

/// Builds small models in memory: the description that JavaScript would hand over, and the file's bytes.
class ModelBuilder {
 public:
  ModelBuilder() {
    model_.data_offset = 0;
    model_.images = {4, 4, {0, 0, 0}, {1, 1, 1}};
    model_.grid = {{-6, -4, -1}, {6, 4, 3}, {6, 5, 2}};
    model_.max_cameras = 4;
  }

  ModelDescription& model() { return model_; }
  std::span<const std::byte> file() const { return file_; }

  void Input(const std::string& name, std::vector<int64_t> shape) {
    model_.inputs.push_back({name, std::move(shape)});
  }

  template <typename T>
  void Store(const std::string& name, const std::string& dtype, std::vector<int64_t> shape,
             const std::vector<T>& values) {
    const auto begin = static_cast<int64_t>(file_.size()),
               bytes = static_cast<int64_t>(values.size() * sizeof(T));
    file_.resize(file_.size() + bytes);
    std::memcpy(file_.data() + begin, values.data(), bytes);
    model_.tensors.push_back({name, dtype, std::move(shape), begin, begin + bytes});
  }

  /// An operation with one output of its own name, which becomes a graph output too.
  OperationSpec& Add(const std::string& op, const std::string& name, std::vector<std::string> inputs) {
    model_.operations.push_back({name, op, "heads", std::move(inputs), {name}, {}, {}});
    model_.outputs.push_back({name, name});
    return model_.operations.back();
  }

  Graph Build() const { return Graph(model_, file_); }

 private:
  ModelDescription model_;
  std::vector<std::byte> file_;
};

struct Feed {
  std::vector<int64_t> shape;
  std::vector<float> values;
};

/// Runs a model on float inputs (in the order of its inputs) and returns its outputs by role. `rig` may be
/// null.
std::map<std::string, std::vector<float>> RunModel(const ModelBuilder& model, const std::vector<Feed>& inputs,
                                                   EngineMode mode, Isa isa, int threads, const RigRays* rig,
                                                   const std::vector<int>& cameras = {},
                                                   StreamType residual = StreamType::kFloat32);

}  // namespace bdc
