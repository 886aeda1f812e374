#pragma once

#include <memory>

#include "graph/graph.h"

namespace bdc {

/// A node's operation if it is a T, else nullptr.
template <typename T>
T* As(const GraphNode& node) {
  return dynamic_cast<T*>(node.operation.get());
}

/// Moves a node's operation out as the type it is known to have.
template <typename T>
std::unique_ptr<T> Take(GraphNode& node) {
  return std::unique_ptr<T>(static_cast<T*>(node.operation.release()));
}

}  // namespace bdc
