#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "graph/model_description.h"
#include "ops/lift_splat.h"
#include "ops/operation.h"

namespace bdc {

/// A tensor that lives between operations.
struct GraphTensor {
  std::string name;
  TensorSpec spec;
  int producer;  // index of the operation that writes it, −1 for a graph input
  int last_use;  // index of the last operation that reads it; the number of operations for a graph output
};

struct GraphNode {
  std::string name, op, module;
  std::vector<int> inputs, outputs;  // indices into tensors
  std::unique_ptr<Operation> operation;
};

/// A network whose every shape, type, attribute and constant has been checked. Nodes are in execution order;
/// a later pass may replace neighbours by one (conv → batch_norm / rprelu → add → sign) as long as `tensors`
/// stays true.
class Graph {
 public:
  /// Throws a model error that names the field. Constants stay in `file` until LoadConstants.
  Graph(const ModelDescription& model, std::span<const std::byte> file);

  /// Copies all constants out of the file, whose bytes aren't needed afterwards.
  void LoadConstants(EngineMode mode, const KernelSet& kernels);

  const std::vector<GraphTensor>& tensors() const { return tensors_; }
  const std::vector<GraphNode>& nodes() const { return nodes_; }
  /// Indices into tensors.
  const std::vector<int>& inputs() const { return inputs_; }
  struct Output {
    std::string role;
    int tensor;
  };
  const std::vector<Output>& outputs() const { return outputs_; }
  /// The first node that needs a rig, or nullptr. All have the same feature size.
  const LiftSplat* lift_splat() const { return lift_splat_; }
  const ImageSpec& images() const { return images_; }
  /// Index in `inputs` of the one that is made of camera images, or −1.
  int image_input() const { return image_input_; }
  int max_cameras() const { return max_cameras_; }

 private:
  void AddInputs(const ModelDescription& model);
  void AddOperation(const OperationSpec& spec, size_t index, const ModelDescription& model,
                    const StoredTensors& stored);
  void AddOutputs(const ModelDescription& model);
  int AddTensor(const std::string& name, const TensorSpec& spec, int producer, const std::string& place);
  /// −1 if there is none.
  int FindTensor(const std::string& name) const;

  std::vector<GraphTensor> tensors_;
  std::map<std::string, int, std::less<>> by_name_;
  std::vector<GraphNode> nodes_;
  std::vector<int> inputs_;
  std::vector<Output> outputs_;
  const LiftSplat* lift_splat_ = nullptr;
  ImageSpec images_;
  int image_input_ = -1;
  int max_cameras_;
};

}  // namespace bdc
