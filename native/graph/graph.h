#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "graph/model_description.h"
#include "ops/lift_splat.h"
#include "ops/operation.h"
#include "ops/sign.h"

namespace bdc {

/// A tensor that lives between operations.
struct GraphTensor {
  std::string name;
  TensorSpec spec;
  int producer;  // index of the operation that writes it, −1 for a graph input
  int last_use;  // index of the last operation that reads it; the number of operations for a graph output
  bool is_needed = true;  // false once fusion has made it a value that never reaches memory
  /// Index of the tensor that it is a range of channels of, from first_channel on, or in whose place it is
  /// written; −1: it has memory of its own, which then lives as long as any that lies there.
  int whole = -1;
  int first_channel = 0;
};

struct GraphNode {
  std::string name, op, module;
  std::vector<int> inputs, outputs;  // indices into tensors
  std::unique_ptr<Operation> operation;
};

/// What an operation of the model file costs and makes, whatever it is fused with.
struct OperationSummary {
  OperationCost cost;
  TensorSpec output;  // the first one
};

/// A network whose every shape, type, attribute and constant has been checked. Nodes are in execution order.
class Graph {
 public:
  /// Throws a model error that names the field. Constants stay in `file` until LoadConstants.
  Graph(const ModelDescription& model, std::span<const std::byte> file);

  /// Makes neighbouring nodes one where that saves passes over memory. Given the same sums, results stay the
  /// same to the last bit, but for the rounding of streams between layers where `residual` is float16.
  /// Before LoadConstants.
  void Fuse(StreamType residual);

  /// Copies all constants out of the file, whose bytes aren't needed afterwards.
  void LoadConstants(EngineMode mode, const KernelSet& kernels);

  const std::vector<GraphTensor>& tensors() const { return tensors_; }
  /// Where a tensor's memory begins: channel `first_channel` of a tensor that is no range.
  struct Place {
    int tensor, first_channel;
  };
  Place PlaceOf(int tensor) const;
  const std::vector<GraphNode>& nodes() const { return nodes_; }
  /// One for each operation of the model file, in its order.
  const std::vector<OperationSummary>& operations() const { return operations_; }
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
  /// Where that input is int8: q = clamp(round(x · factor), ±127).
  float image_factor() const { return image_factor_; }
  int max_cameras() const { return max_cameras_; }

 private:
  void AddInputs(const ModelDescription& model);
  void AddOperation(const OperationSpec& spec, size_t index, const ModelDescription& model,
                    const StoredTensors& stored);
  void AddOutputs(const ModelDescription& model);
  int AddTensor(const std::string& name, const TensorSpec& spec, int producer, const std::string& place);
  bool IsOutput(int tensor) const;
  /// Indices of the nodes that read a tensor, one for each time.
  std::vector<size_t> ReadersOf(int tensor) const;
  /// The only reader of a node's only output, if that is no graph output; else nodes().size().
  size_t OnlyReader(size_t node) const;
  GraphNode* MakerOf(int tensor);
  /// A new tensor, channels [first, first + channels) of another.
  int AddRange(int tensor, int first, int channels);
  void FuseActivations();
  void FuseArgmax();
  void JoinConvolutions();
  void UseSignPlanes();
  void UsePointwiseBlocks();
  void FuseRefinements();
  void FuseGates();
  void FuseResiduals();
  void FuseMeans();
  void FuseSums();
  void FuseQuantizers(bool of_sweeps);
  /// Whether a tensor is, or has, a range of channels of another.
  bool HasRanges(int tensor) const;
  void UseSweeps();
  void DistributeSweeps();
  void PlaceChannels();
  void JoinSweeps();
  void FuseSigns();
  void HalveStreams();
  /// Drops the nodes that others have taken over (those without an operation) and dates the tensors anew.
  void CloseGaps();
  void WriteInPlace();
  /// −1 if there is none.
  int FindTensor(const std::string& name) const;

  std::vector<GraphTensor> tensors_;
  std::map<std::string, int, std::less<>> by_name_;
  std::vector<GraphNode> nodes_;
  std::vector<OperationSummary> operations_;
  std::vector<int> inputs_;
  std::vector<Output> outputs_;
  const LiftSplat* lift_splat_ = nullptr;
  ImageSpec images_;
  int image_input_ = -1;
  float image_factor_ = 0.0f;
  int max_cameras_;
};

}  // namespace bdc
