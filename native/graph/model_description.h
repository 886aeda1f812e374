#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "ops/operation_reader.h"

namespace bdc {

/// A tensor as the file's header describes it; bytes [begin, end) of the data section.
struct TensorEntry {
  std::string name, dtype;
  std::vector<int64_t> shape;
  int64_t begin, end;
};

struct GraphInput {
  std::string name;
  std::vector<int64_t> shape;  // 4 sizes; the first is TensorSpec::kPerCamera for "cameras"
};

struct GraphOutput {
  std::string role, tensor;
};

/// How camera images become the graph input "images".
struct ImageSpec {
  int width, height;
  float mean[3], std[3];  // RGB, 0…255 scale
};

/// The file's header and manifest, parsed but not yet believed.
struct ModelDescription {
  std::vector<TensorEntry> tensors;
  int64_t data_offset;  // of the data section in the file
  std::vector<GraphInput> inputs;
  std::vector<OperationSpec> operations;
  std::vector<GraphOutput> outputs;
  ImageSpec images;
  GridSpec grid;
  int max_cameras;
};

}  // namespace bdc
