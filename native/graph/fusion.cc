#include <algorithm>
#include <utility>

#include "graph/graph.h"
#include "graph/take.h"
#include "ops/activations.h"
#include "ops/conv_argmax.h"
#include "ops/convolution.h"

namespace bdc {
bool Graph::IsOutput(int tensor) const {
  return std::any_of(outputs_.begin(), outputs_.end(), [&](const Output& o) { return o.tensor == tensor; });
}

std::vector<size_t> Graph::ReadersOf(int tensor) const {
  std::vector<size_t> readers;
  for (size_t i = 0; i < nodes_.size(); ++i) {
    if (!nodes_[i].operation) continue;
    readers.insert(readers.end(), std::count(nodes_[i].inputs.begin(), nodes_[i].inputs.end(), tensor), i);
  }
  return readers;
}

size_t Graph::OnlyReader(size_t node) const {
  const int output = nodes_[node].outputs[0];
  const auto readers = ReadersOf(output);
  const bool is_only = nodes_[node].outputs.size() == 1 && readers.size() == 1 && !IsOutput(output);
  return is_only ? readers[0] : nodes_.size();
}

void Graph::Fuse(StreamType residual) {
  FuseActivations();
  FuseArgmax();
  UseSignPlanes();
  UsePointwiseBlocks();
  FuseRefinements();
  FuseGates();
  FuseResiduals();
  FuseMeans();
  FuseSums();
  JoinConvolutions();
  FuseQuantizers(false);
  UseSweeps();
  if (residual == StreamType::kFloat16) HalveStreams();
  JoinSweeps();
  DistributeSweeps();
  PlaceChannels();
  JoinSweeps();
  FuseSigns();
  FuseQuantizers(true);
  CloseGaps();
  WriteInPlace();
}

/// Convolution → RPReLU or PReLU: the values are bent where they are summed.
void Graph::FuseActivations() {
  for (size_t i = 0; i < nodes_.size(); ++i) {
    auto* convolution = As<Convolution>(nodes_[i]);
    const size_t reader = convolution ? OnlyReader(i) : nodes_.size();
    const auto* activation = reader == nodes_.size() ? nullptr : As<ChannelActivation>(nodes_[reader]);
    if (!activation || !convolution->Fuses(*activation)) continue;
    convolution->TakeActivation(Take<ChannelActivation>(nodes_[reader]));
    nodes_[i].op += " + " + nodes_[reader].op;
    nodes_[i].outputs = std::move(nodes_[reader].outputs);
  }
}

/// 1×1 convolution → argmax, where nobody else wants the logits.
void Graph::FuseArgmax() {
  for (size_t i = 0; i < nodes_.size(); ++i) {
    const auto* convolution = As<RealConvolution>(nodes_[i]);
    const size_t reader = convolution && convolution->TakesPixels() ? OnlyReader(i) : nodes_.size();
    if (reader == nodes_.size() || !As<OccupancyArgmax>(nodes_[reader])) continue;
    GraphNode& argmax = nodes_[reader];
    argmax.op = nodes_[i].op + " + " + argmax.op;
    argmax.inputs = nodes_[i].inputs;
    argmax.operation =
        std::make_unique<ConvArgmax>(Take<RealConvolution>(nodes_[i]), Take<OccupancyArgmax>(argmax));
  }
}

/// Real convolution (→ add) (→ ReLU).
void Graph::FuseSums() {
  for (size_t i = 0; i < nodes_.size(); ++i) {
    auto* convolution = As<RealConvolution>(nodes_[i]);
    if (!convolution || convolution->has_residual() || convolution->has_relu()) continue;
    GraphNode* maker = &nodes_[i];
    size_t reader = OnlyReader(i);
    if (reader != nodes_.size() && nodes_[reader].op == "add" && nodes_[reader].inputs.size() == 2) {
      // The other summand may be made after the convolution: the sum's place is after both.
      GraphNode& sum = nodes_[reader];
      const int residual = sum.inputs[sum.inputs[0] == maker->outputs[0] ? 1 : 0];
      convolution->TakeResidual();
      sum.op = maker->op + " + add";
      sum.name = maker->name;
      sum.inputs = {maker->inputs[0], residual};
      sum.operation = std::move(maker->operation);
      maker = &sum;
      reader = OnlyReader(reader);
    }
    if (reader == nodes_.size() || !As<ReLU>(nodes_[reader])) continue;
    convolution->TakeReLU();
    maker->op += " + relu";
    maker->outputs = std::move(nodes_[reader].outputs);
    nodes_[reader].operation.reset();
  }
}

/// Real convolutions of one input, as the maps of a detection head: packed once, computed as one.
void Graph::JoinConvolutions() {
  for (GraphNode& first : nodes_) {
    auto* convolution = As<RealConvolution>(first);
    if (!convolution) continue;
    for (GraphNode* node = &first + 1; node != nodes_.data() + nodes_.size(); ++node) {
      const auto* other = As<RealConvolution>(*node);
      if (!other || node->inputs != first.inputs || node->module != first.module ||
          !convolution->CanJoin(*other)) {
        continue;
      }
      convolution->Join(*other);
      first.outputs.insert(first.outputs.end(), node->outputs.begin(), node->outputs.end());
      node->operation.reset();
    }
    if (convolution->is_joined()) first.op = std::to_string(first.outputs.size()) + " × " + first.op;
  }
}

void Graph::CloseGaps() {
  std::erase_if(nodes_, [](const GraphNode& node) { return node.operation == nullptr; });
  for (GraphTensor& tensor : tensors_) tensor.is_needed = false;
  // Ascending steps: the first use is the making, of a range or of the whole.
  const auto use = [&](int tensor, int step) {
    for (; tensor >= 0; tensor = tensors_[tensor].whole) {
      if (!tensors_[tensor].is_needed) tensors_[tensor].producer = step;
      tensors_[tensor].is_needed = true;
      tensors_[tensor].last_use = step;
    }
  };
  for (int input : inputs_) use(input, -1);
  for (size_t i = 0; i < nodes_.size(); ++i) {
    for (int output : nodes_[i].outputs) use(output, static_cast<int>(i));
    for (int input : nodes_[i].inputs) use(input, static_cast<int>(i));
  }
  for (const Output& output : outputs_) use(output.tensor, static_cast<int>(nodes_.size()));
}

/// The first output takes the memory of an input that nobody reads later: caches then have the lines that are
/// written.
void Graph::WriteInPlace() {
  for (size_t i = 0; i < nodes_.size(); ++i) {
    const std::vector<int>& inputs = nodes_[i].inputs;
    GraphTensor& y = tensors_[nodes_[i].outputs[0]];
    for (size_t k = 0; k < inputs.size() && y.whole < 0; ++k) {
      const int memory = PlaceOf(inputs[k]).tensor;
      GraphTensor& x = tensors_[memory];
      const auto lies_there = [&](int input) { return PlaceOf(input).tensor == memory; };
      const bool is_free = x.producer >= 0 && x.last_use == static_cast<int>(i) &&
                           std::count_if(inputs.begin(), inputs.end(), lies_there) == 1;
      if (is_free && tensors_[inputs[k]].spec == y.spec && x.spec == y.spec &&
          nodes_[i].operation->MayOverwrite(k)) {
        y.whole = memory;
        x.last_use = y.last_use;
      }
    }
  }
}

}  // namespace bdc
