#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "graph/model_description.h"
#include "ops/parameter.h"

namespace bdc {

/// Finds each tensor of the header in the file's bytes. Throws a model error if a name comes twice, a type is
/// unknown, a size disagrees with the shape, or bytes lie outside the file or are claimed twice.
StoredTensors LocateTensors(const std::vector<TensorEntry>& entries, std::span<const std::byte> file,
                            int64_t data_offset);

}  // namespace bdc
