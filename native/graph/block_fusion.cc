#include <algorithm>
#include <utility>

#include "graph/graph.h"
#include "graph/take.h"
#include "ops/binary_block.h"
#include "ops/channels.h"
#include "ops/conv_argmax.h"
#include "ops/int8_conv2d.h"
#include "ops/pointwise_block.h"
#include "ops/refinement_gate.h"
#include "ops/resampling.h"
#include "ops/sums.h"
#include "ops/sweep.h"

namespace bdc {
namespace {

bool MovesChannels(const GraphNode& node) { return As<Concat>(node) || As<Split>(node); }

/// Takes tensors out of `halves` until all inputs and outputs of each move are in it, or none is.
void KeepMovedAlike(const std::vector<GraphNode>& nodes, std::vector<bool>& halves) {
  const auto is_half = [&](int tensor) { return halves[tensor]; };
  for (bool has_changed = true; has_changed;) {
    has_changed = false;
    for (const GraphNode& node : nodes) {
      if (!node.operation || !MovesChannels(node)) continue;
      std::vector<int> all = node.inputs;
      all.insert(all.end(), node.outputs.begin(), node.outputs.end());
      if (std::all_of(all.begin(), all.end(), is_half) || std::none_of(all.begin(), all.end(), is_half)) {
        continue;
      }
      for (int tensor : all) halves[tensor] = false;
      has_changed = true;
    }
  }
}

}  // namespace

/// sign → binary convolution on sign planes, where the block kernel takes every convolution that reads the
/// bits.
void Graph::UseSignPlanes() {
  const auto takes = [&](size_t node) {
    const auto* convolution = As<BinaryConv2d>(nodes_[node]);
    return convolution && BinaryBlock::Takes(*convolution);
  };
  for (size_t i = 0; i < nodes_.size(); ++i) {
    if (!As<Sign>(nodes_[i])) continue;
    const int bits = nodes_[i].outputs[0];
    const auto readers = ReadersOf(bits);
    if (readers.empty() || !std::all_of(readers.begin(), readers.end(), takes)) continue;
    tensors_[bits].spec.type = ElementType::kSignPlanes;
    std::vector<PlacedSign> signs;
    signs.push_back({Take<Sign>(nodes_[i]), 0, 0, tensors_[bits].spec.channels});
    nodes_[i].operation = std::make_unique<Sweep>(Sweep::Parts{}, std::move(signs));
    for (size_t reader : readers) {
      auto block = std::make_unique<BinaryBlock>(Take<BinaryConv2d>(nodes_[reader]));
      nodes_[reader].operation = std::move(block);
    }
  }
}

/// Binary weights on the real values of single pixels.
void Graph::UsePointwiseBlocks() {
  for (GraphNode& node : nodes_) {
    const auto* convolution = As<BinaryWeightConv2d>(node);
    if (!convolution || !PointwiseBlock::Takes(*convolution)) continue;
    auto block = std::make_unique<PointwiseBlock>(Take<BinaryWeightConv2d>(node));
    node.operation = std::move(block);
  }
}

/// Convolution → convolution → sigmoid, of binary weights on vectors of means.
void Graph::FuseRefinements() {
  for (size_t i = 0; i < nodes_.size(); ++i) {
    const auto* squeeze = As<BinaryWeightConv2d>(nodes_[i]);
    const size_t next = squeeze ? OnlyReader(i) : nodes_.size();
    const auto* expand = next == nodes_.size() ? nullptr : As<BinaryWeightConv2d>(nodes_[next]);
    if (!expand || !RefinementGate::Takes(*squeeze, *expand)) continue;
    const size_t last = OnlyReader(next);
    if (last == nodes_.size() || !As<Sigmoid>(nodes_[last])) continue;
    GraphNode& gate = nodes_[last];
    gate.op = nodes_[i].op + " + " + nodes_[next].op + " + " + gate.op;
    gate.inputs = nodes_[i].inputs;
    gate.operation = std::make_unique<RefinementGate>(Take<BinaryWeightConv2d>(nodes_[i]),
                                                      Take<BinaryWeightConv2d>(nodes_[next]));
  }
}

/// channel_gate → add.
void Graph::FuseGates() {
  for (size_t i = 0; i < nodes_.size(); ++i) {
    const size_t reader = As<ChannelGate>(nodes_[i]) ? OnlyReader(i) : nodes_.size();
    if (reader == nodes_.size() || nodes_[reader].op != "add" || nodes_[reader].inputs.size() != 2) continue;
    GraphNode& sum = nodes_[reader];
    const int gated = nodes_[i].outputs[0], residual = sum.inputs[sum.inputs[0] == gated ? 1 : 0];
    sum.op = "channel_gate + add";
    sum.inputs = {nodes_[i].inputs[0], nodes_[i].inputs[1], residual};
    sum.operation = std::make_unique<Sweep>(Sweep::Parts{.gate = true, .residual = true, .stream = true},
                                            std::vector<PlacedSign>{});
    nodes_[i].operation.reset();
  }
}

/// block (→ add) (→ sign).
void Graph::FuseResiduals() {
  for (size_t i = 0; i < nodes_.size(); ++i) {
    auto* block = As<BlockOperation>(nodes_[i]);
    if (!block || block->has_residual() || block->has_sign()) continue;
    GraphNode* maker = &nodes_[i];
    const size_t reader = OnlyReader(i);
    if (reader != nodes_.size() && nodes_[reader].op == "add" && nodes_[reader].inputs.size() == 2) {
      GraphNode& sum = nodes_[reader];
      const int own = maker->outputs[0], residual = sum.inputs[sum.inputs[0] == own ? 1 : 0];
      block->TakeResidual();
      sum.op = maker->op + " + add";
      sum.name = maker->name;
      sum.inputs = {maker->inputs[0], residual};
      sum.operation = std::move(maker->operation);
      maker = &sum;
    }
    for (size_t sign : ReadersOf(maker->outputs[0])) {
      const auto* sweep = As<Sweep>(nodes_[sign]);
      if (!sweep || !sweep->is_sign()) continue;
      block->TakeSign(sweep->signs()[0].sign);
      maker->op += " + sign";
      maker->outputs.push_back(nodes_[sign].outputs[0]);
      nodes_[sign].operation.reset();
      break;
    }
  }
}

/// block → global_avg_pool2d, and other readers: the block sums its output up while it has it in registers.
void Graph::FuseMeans() {
  for (GraphNode& node : nodes_) {
    auto* block = As<BlockOperation>(node);
    if (!block || block->has_residual() || block->has_sign() || node.outputs.empty()) continue;
    for (size_t reader : ReadersOf(node.outputs[0])) {
      if (block->has_mean() || !As<GlobalAvgPool2d>(nodes_[reader])) continue;
      const TensorSpec& y = tensors_[node.outputs[0]].spec;
      block->TakeMean(y.batch == TensorSpec::kPerCamera ? max_cameras() : y.batch, y.Plane(), y.channels);
      node.op += " + mean";
      node.outputs.push_back(nodes_[reader].outputs[0]);
      nodes_[reader].operation.reset();
    }
  }
}

/// A block, real convolution or sweep makes the int8 values that convolutions of one scale read of it: as its
/// only output where nobody reads another, else as one more. Images are int8 where nobody reads real ones.
/// Sweeps have a pass of their own, once none is joined or parted any more.
void Graph::FuseQuantizers(bool of_sweeps) {
  struct Quantizing {
    std::vector<GraphNode*> nodes;
    float factor = 0.0f;
    bool is_only;  // nobody reads real values
  };
  const auto quantizing = [&](int tensor) {
    Quantizing found;
    const auto readers = ReadersOf(tensor);
    for (size_t i : readers) {
      const float wanted = nodes_[i].inputs[0] == tensor ? nodes_[i].operation->InputFactor() : 0.0f;
      if (wanted == 0.0f || (found.factor != 0.0f && wanted != found.factor)) continue;
      found.factor = wanted;
      if (found.nodes.empty() || found.nodes.back() != &nodes_[i]) found.nodes.push_back(&nodes_[i]);
    }
    // A convolution may read its own residual from it too; others, ranges of its channels.
    found.is_only = readers.size() == found.nodes.size() && !IsOutput(tensor) && !HasRanges(tensor);
    return found;
  };
  if (image_input_ >= 0) {
    const int images = inputs_[image_input_];
    const Quantizing readers = quantizing(images);
    if (readers.factor != 0.0f && readers.is_only) {
      tensors_[images].spec.type = ElementType::kInt8;
      image_factor_ = readers.factor;
    }
  }
  for (GraphNode& node : nodes_) {
    if (!node.operation || node.outputs.empty()) continue;
    const int y = node.outputs[0];
    if (tensors_[y].whole >= 0 || (As<Sweep>(node) != nullptr) != of_sweeps) continue;
    const Quantizing readers = quantizing(y);
    if (readers.factor == 0.0f || !node.operation->TakeQuantizer(readers.factor)) continue;
    TensorSpec bytes = tensors_[y].spec;
    bytes.type = ElementType::kInt8;
    if (readers.is_only) {
      tensors_[y].spec = bytes;
      continue;
    }
    const int q = static_cast<int>(tensors_.size());
    tensors_.push_back({tensors_[y].name + ", int8", bytes, -1, -1});
    node.outputs.push_back(q);
    for (GraphNode* reader : readers.nodes) reader->inputs[0] = q;
  }
}

/// Real tensors that float16 is good enough for, become it: those between blocks, sweeps, resamplings and
/// real convolutions, of which int8 ones read it too.
void Graph::HalveStreams() {
  const auto reads = [&](const GraphNode& node, size_t input) {
    if (As<BlockOperation>(node) || As<PlaneMaker>(node) || MovesChannels(node)) return true;
    if (As<Int8Conv2d>(node) || As<ConvArgmax>(node)) return node.operation->InputFactor() != 0.0f;
    const auto* sweep = As<Sweep>(node);
    return sweep && !(sweep->parts().gate && input == 1);
  };
  const auto makes = [&](const GraphNode& node, size_t output) {
    if (MovesChannels(node)) return true;
    const auto* sweep = As<Sweep>(node);
    const auto* convolution = As<RealConvolution>(node);
    return output == 0 && (As<BlockOperation>(node) || As<PlaneMaker>(node) ||
                           (convolution && !convolution->is_joined()) || (sweep && sweep->parts().stream));
  };
  std::vector<bool> halves(tensors_.size(), true);
  for (int input : inputs_) halves[input] = false;
  for (const Output& output : outputs_) halves[output.tensor] = false;
  for (const GraphNode& node : nodes_) {
    if (!node.operation) continue;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (!reads(node, i)) halves[node.inputs[i]] = false;
    }
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      if (!makes(node, i)) halves[node.outputs[i]] = false;
    }
  }
  KeepMovedAlike(nodes_, halves);
  for (size_t i = 0; i < tensors_.size(); ++i) {
    ElementType& type = tensors_[i].spec.type;
    if (halves[i] && type == ElementType::kFloat32) type = ElementType::kFloat16;
  }
  for (const GraphNode& node : nodes_) {
    auto* maker = As<PlaneMaker>(node);
    if (!maker) continue;
    const auto is_half = [&](int tensor) { return tensors_[tensor].spec.type == ElementType::kFloat16; };
    maker->TakeHalves(is_half(node.inputs[0]), is_half(node.outputs[0]));
  }
}

}  // namespace bdc
