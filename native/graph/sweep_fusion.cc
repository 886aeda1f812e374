// Passes over memory between the convolutions: what adds, scales and takes signs becomes sweeps, and what
// only moves channels moves none.
#include <algorithm>
#include <utility>

#include "graph/graph.h"
#include "graph/take.h"
#include "ops/channels.h"
#include "ops/sums.h"
#include "ops/sweep.h"

namespace bdc {

int Graph::AddRange(int tensor, int first, int channels) {
  GraphTensor range = tensors_[tensor];
  range.name += "[" + std::to_string(first) + ":" + std::to_string(first + channels) + "]";
  range.spec.channels = channels;
  range.whole = tensor;
  range.first_channel = first;
  tensors_.push_back(std::move(range));
  return static_cast<int>(tensors_.size()) - 1;
}

Graph::Place Graph::PlaceOf(int tensor) const {
  int first = 0;
  for (; tensors_[tensor].whole >= 0; tensor = tensors_[tensor].whole)
    first += tensors_[tensor].first_channel;
  return {tensor, first};
}

/// What is left of channel gates, sums of two and batch norms, which then may take over what follows them.
void Graph::UseSweeps() {
  for (GraphNode& node : nodes_) {
    if (As<ChannelGate>(node)) {
      node.operation =
          std::make_unique<Sweep>(Sweep::Parts{.gate = true, .stream = true}, std::vector<PlacedSign>{});
    } else if (const auto* sum = As<Sum>(node); sum && node.inputs.size() == 2) {
      const Sweep::Parts parts{.residual = true, .stream = true, .factor = sum->factor()};
      node.operation = std::make_unique<Sweep>(parts, std::vector<PlacedSign>{});
    } else if (As<BatchNorm>(node)) {
      auto norm = Take<BatchNorm>(node);
      node.operation =
          std::make_unique<Sweep>(Sweep::Parts{.stream = true}, std::vector<PlacedSign>{}, std::move(norm));
    }
  }
}

GraphNode* Graph::MakerOf(int tensor) {
  for (GraphNode& node : nodes_) {
    if (node.operation && std::count(node.outputs.begin(), node.outputs.end(), tensor)) return &node;
  }
  return nullptr;
}

/// concat → sweep: sweeps of the parts, each of which writes its channels of the output.
void Graph::DistributeSweeps() {
  for (size_t i = 0; i < nodes_.size(); ++i) {
    const auto* sweep = As<Sweep>(nodes_[i]);
    if (!sweep || !sweep->parts().stream || sweep->has_norm()) continue;
    for (size_t position = 0; position < nodes_[i].inputs.size(); ++position) {
      const int tensor = nodes_[i].inputs[position];
      GraphNode* concat = MakerOf(tensor);
      if (!concat || !As<Concat>(*concat) || ReadersOf(tensor).size() != 1 || IsOutput(tensor)) continue;
      const GraphNode whole{nodes_[i].name,   nodes_[i].op,      nodes_[i].module,
                            nodes_[i].inputs, nodes_[i].outputs, nullptr};
      std::vector<GraphNode> made;
      int first = 0;
      for (int part : concat->inputs) {
        const int channels = tensors_[part].spec.channels;
        GraphNode node{whole.name,
                       whole.op,
                       whole.module,
                       {},
                       {AddRange(whole.outputs[0], first, channels)},
                       std::make_unique<Sweep>(sweep->parts(), std::vector<PlacedSign>{})};
        for (size_t k = 0; k < whole.inputs.size(); ++k) {
          node.inputs.push_back(k == position ? part : AddRange(whole.inputs[k], first, channels));
        }
        made.push_back(std::move(node));
        first += channels;
      }
      concat->operation.reset();
      const auto place = nodes_.erase(nodes_.begin() + static_cast<int64_t>(i));
      nodes_.insert(place, std::make_move_iterator(made.begin()), std::make_move_iterator(made.end()));
      --i;  // a part may be concatenated too
      break;
    }
  }
}

/// Split: its outputs become ranges of its input. Concat: whoever makes its inputs writes into its output.
void Graph::PlaceChannels() {
  const auto is_free = [&](int tensor) { return tensors_[tensor].whole < 0 && !IsOutput(tensor); };
  const auto place = [&](const std::vector<int>& parts, int whole) {
    int first = 0;
    for (int part : parts) {
      tensors_[part].whole = whole;
      tensors_[part].first_channel = first;
      first += tensors_[part].spec.channels;
    }
  };
  for (GraphNode& node : nodes_) {
    if (As<Split>(node) && std::all_of(node.outputs.begin(), node.outputs.end(), is_free)) {
      place(node.outputs, node.inputs[0]);
      node.operation.reset();
    } else if (As<Concat>(node)) {
      const bool are_free = std::all_of(node.inputs.begin(), node.inputs.end(), [&](int part) {
        return is_free(part) && MakerOf(part) &&
               std::count(node.inputs.begin(), node.inputs.end(), part) == 1;
      });
      if (!are_free) continue;
      place(node.inputs, node.outputs[0]);
      node.operation.reset();
    }
  }
}

bool Graph::HasRanges(int tensor) const {
  return tensors_[tensor].whole >= 0 ||
         std::any_of(tensors_.begin(), tensors_.end(),
                     [tensor](const GraphTensor& other) { return other.whole == tensor; });
}

/// sweep → sum with another tensor: one sweep.
void Graph::JoinSweeps() {
  for (size_t i = 0; i < nodes_.size(); ++i) {
    GraphNode& maker = nodes_[i];
    auto* sweep = As<Sweep>(maker);
    if (!sweep || sweep->parts().addend || sweep->parts().factor != 1.0f || !sweep->signs().empty()) continue;
    const size_t reader = OnlyReader(i);
    if (reader == nodes_.size() || HasRanges(maker.outputs[0])) continue;
    GraphNode& sum = nodes_[reader];
    const auto* last = As<Sweep>(sum);
    if (!last || last->has_norm() || last->parts().gate || !last->parts().residual || last->parts().addend) {
      continue;
    }
    Sweep::Parts parts = sweep->parts();
    (parts.residual ? parts.addend : parts.residual) = true;
    parts.factor = last->parts().factor;
    const int other = sum.inputs[sum.inputs[0] == maker.outputs[0] ? 1 : 0];
    sum.op = maker.op + " + " + sum.op;
    sum.inputs = maker.inputs;
    sum.inputs.push_back(other);
    sum.operation = std::make_unique<Sweep>(parts, last->signs(), sweep->TakeNorm());
    maker.operation.reset();
  }
}

/// sweep, average pool or upsampling → the signs of what it has made. Where several have made the ranges of
/// a tensor, each takes its share.
void Graph::FuseSigns() {
  struct Share {
    GraphNode* maker;
    int begin, end;  // channels of the tensor that has the memory
    int first_made;  // the first one that the maker makes
  };
  for (GraphNode& reader : nodes_) {
    const auto* sign = As<Sweep>(reader);
    if (!sign || !sign->is_sign()) continue;
    const int x = reader.inputs[0], planes = reader.outputs[0], channels = tensors_[x].spec.channels;
    const Place read = PlaceOf(x);
    std::vector<Share> shares;
    int found = 0;
    for (GraphNode& maker : nodes_) {
      const auto* sweep = As<Sweep>(maker);
      if (!As<SignMaker>(maker) || (sweep && !sweep->parts().stream)) continue;
      const Place made = PlaceOf(maker.outputs[0]);
      const int begin = std::max(read.first_channel, made.first_channel);
      const int end = std::min(read.first_channel + channels,
                               made.first_channel + tensors_[maker.outputs[0]].spec.channels);
      if (made.tensor != read.tensor || begin >= end) continue;
      shares.push_back({&maker, begin, end, made.first_channel});
      found += end - begin;
    }
    if (found != channels) continue;
    for (const Share& share : shares) {
      const int first = share.begin - read.first_channel, count = share.end - share.begin;
      PlacedSign placed = sign->signs()[0].Within(first, count);
      placed.first_channel += share.begin - share.first_made;
      As<SignMaker>(*share.maker)->TakeSign(std::move(placed));
      share.maker->op += " + sign";
      share.maker->outputs.push_back(count == channels ? planes : AddRange(planes, first, count));
    }
    reader.operation.reset();
  }
}

}  // namespace bdc
