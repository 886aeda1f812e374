#include "graph/graph.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "graph/stored_tensors.h"
#include "ops/registry.h"
#include "runtime/error.h"

namespace bdc {
namespace {

constexpr std::array<std::string_view, 4> kModules = {"image_encoder", "view_transformer", "bev_encoder",
                                                      "heads"};

[[noreturn]] void Fail(const std::string& code, const std::string& message) {
  throw Error(ErrorKind::kModel, code, message);
}

void CheckSurroundings(const ModelDescription& model) {
  const GridSpec& grid = model.grid;
  for (int axis = 0; axis < 3; ++axis) {
    const bool finite = std::isfinite(grid.min[axis]) && std::isfinite(grid.max[axis]);
    if (!finite || !(grid.min[axis] < grid.max[axis])) {
      Fail("MODEL_GRID", "grid: expected min < max on each axis, found " + std::to_string(grid.min[axis]) +
                             " and " + std::to_string(grid.max[axis]));
    }
    if (grid.shape[axis] < 1 || grid.shape[axis] > 4096) {
      Fail("MODEL_GRID", "grid.shape: expected sizes in 1…4096, found " + std::to_string(grid.shape[axis]));
    }
  }
  if (model.max_cameras < 1 || model.max_cameras > kMaxCameras) {
    Fail("MODEL_CAMERAS", "input.cameras: expected 1…" + std::to_string(kMaxCameras) + ", found " +
                              std::to_string(model.max_cameras));
  }
  for (int channel = 0; channel < 3; ++channel) {
    if (!std::isfinite(model.images.mean[channel]) || !(model.images.std[channel] > 0)) {
      Fail("MODEL_INPUT", "input: expected finite mean and positive std per channel, found " +
                              std::to_string(model.images.mean[channel]) + " and " +
                              std::to_string(model.images.std[channel]));
    }
  }
}

}  // namespace

Graph::Graph(const ModelDescription& model, std::span<const std::byte> file)
    : images_(model.images), max_cameras_(model.max_cameras) {
  CheckSurroundings(model);
  const StoredTensors stored = LocateTensors(model.tensors, file, model.data_offset);
  AddInputs(model);
  for (size_t i = 0; i < model.operations.size(); ++i) AddOperation(model.operations[i], i, model, stored);
  AddOutputs(model);
}

int Graph::FindTensor(const std::string& name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? -1 : found->second;
}

int Graph::AddTensor(const std::string& name, const TensorSpec& spec, int producer,
                     const std::string& place) {
  const int index = static_cast<int>(tensors_.size());
  if (!by_name_.emplace(name, index).second) {
    Fail("MODEL_TENSOR_REDEFINED",
         place + ": expected a new name, found \"" + name + "\", which is already defined");
  }
  tensors_.push_back({name, spec, producer, producer});
  return index;
}

void Graph::AddInputs(const ModelDescription& model) {
  for (size_t i = 0; i < model.inputs.size(); ++i) {
    const GraphInput& input = model.inputs[i];
    const std::string place = "graph.inputs[" + std::to_string(i) + "]";
    const auto fail = [&](const std::string& expected) {
      Fail("MODEL_SHAPE", place + ".shape: expected " + expected + ", found " + ToString(input.shape));
    };
    if (input.shape.size() != 4) fail("4 sizes");
    int64_t elements = 1;
    for (size_t axis = 0; axis < 4; ++axis) {
      const int64_t size = input.shape[axis];
      if (axis == 0 && size == TensorSpec::kPerCamera) continue;
      if (size < 1 || size > kMaxSize) fail("sizes in 1…2^30");
      elements *= size;
      if (elements > std::numeric_limits<int>::max()) fail("fewer than 2^31 values");
    }
    const auto size = [&](size_t axis) { return static_cast<int>(input.shape[axis]); };
    const TensorSpec spec{ElementType::kFloat32, size(0), size(1), size(2), size(3)};
    if (input.name == "images") {
      const TensorSpec expected{ElementType::kFloat32, TensorSpec::kPerCamera, 3, images_.height,
                                images_.width};
      if (spec != expected) {
        fail("[cameras, 3, input.height = " + std::to_string(images_.height) +
             ", input.width = " + std::to_string(images_.width) + "] for \"images\"");
      }
      image_input_ = static_cast<int>(i);
    }
    inputs_.push_back(AddTensor(input.name, spec, -1, place));
  }
}

void Graph::AddOperation(const OperationSpec& spec, size_t index, const ModelDescription& model,
                         const StoredTensors& stored) {
  const std::string place =
      "graph.operations[" + std::to_string(index) + "] \"" + spec.name + "\" (" + spec.op + ")";
  if (std::find(kModules.begin(), kModules.end(), spec.module) == kModules.end()) {
    Fail("MODEL_MODULE", place + ": module: expected one of the four modules, found \"" + spec.module + "\"");
  }
  if (spec.inputs.empty()) Fail("MODEL_INPUT_COUNT", place + ": inputs: expected at least one, found none");
  GraphNode node{spec.name, spec.op, spec.module, {}, {}, nullptr};
  std::vector<TensorSpec> input_specs;
  for (const std::string& name : spec.inputs) {
    const int tensor = FindTensor(name);
    if (tensor < 0) {
      for (size_t later = index; later < model.operations.size(); ++later) {
        for (const std::string& output : model.operations[later].outputs) {
          if (output == name) {
            Fail("MODEL_ORDER", place + ": inputs: expected outputs of earlier operations, found \"" + name +
                                    "\", which graph.operations[" + std::to_string(later) +
                                    "] makes: the graph has a cycle or is out of order");
          }
        }
      }
      Fail("MODEL_UNKNOWN_INPUT", place + ": inputs: expected a graph input or an earlier output, found \"" +
                                      name + "\", which nothing makes");
    }
    node.inputs.push_back(tensor);
    input_specs.push_back(tensors_[tensor].spec);
    tensors_[tensor].last_use = static_cast<int>(index);
  }
  OperationReader reader(spec, place, std::move(input_specs), stored, model.grid, model.max_cameras);
  node.operation = MakeOperation(spec.op, reader);
  const std::vector<TensorSpec> output_specs = reader.Finish();
  for (size_t i = 0; i < output_specs.size(); ++i) {
    node.outputs.push_back(
        AddTensor(spec.outputs[i], output_specs[i], static_cast<int>(index), place + ": outputs"));
  }
  if (const auto* lift_splat = dynamic_cast<const LiftSplat*>(node.operation.get())) {
    if (lift_splat_ && (lift_splat_->feature_height() != lift_splat->feature_height() ||
                        lift_splat_->feature_width() != lift_splat->feature_width())) {
      Fail("MODEL_SHAPE", place + ": inputs: expected the feature size of the earlier lift_splat");
    }
    if (!lift_splat_) lift_splat_ = lift_splat;
  }
  operations_.push_back({node.operation->cost, output_specs[0]});
  nodes_.push_back(std::move(node));
}

void Graph::AddOutputs(const ModelDescription& model) {
  for (const GraphOutput& output : model.outputs) {
    const std::string place = "graph.outputs." + output.role;
    const int tensor = FindTensor(output.tensor);
    if (tensor < 0) {
      Fail("MODEL_UNKNOWN_OUTPUT",
           place + ": expected a tensor of the graph, found \"" + output.tensor + "\"");
    }
    if (tensors_[tensor].spec.type == ElementType::kBits) {
      Fail("MODEL_OUTPUT_TYPE", place + ": expected real or u8, found bits");
    }
    tensors_[tensor].last_use = static_cast<int>(nodes_.size());
    outputs_.push_back({output.role, tensor});
  }
  if (outputs_.empty()) Fail("MODEL_UNKNOWN_OUTPUT", "graph.outputs: expected at least one, found none");
}

void Graph::LoadConstants(EngineMode mode, const KernelSet& kernels) {
  for (GraphNode& node : nodes_) node.operation->Load(mode, kernels);
}

}  // namespace bdc
