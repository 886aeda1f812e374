#pragma once

#include <cstdint>
#include <vector>

namespace bdc {

/// Memory that is needed during steps [first, last].
struct MemoryRequest {
  int64_t bytes;
  int first, last;
};

struct MemoryPlan {
  std::vector<int64_t> offsets;  // of each request, multiples of kAlignment
  int64_t bytes = 0;             // of the whole arena
};

/// Places requests in one arena so that none overlaps another that lives at the same time. Greedy by size
/// (Pisarchyk and Lee, "Efficient memory management for deep neural net inference", 2020): the largest first,
/// each at the lowest place that is free during its life.
MemoryPlan PlanMemory(const std::vector<MemoryRequest>& requests);

}  // namespace bdc
