#include "graph/memory_plan.h"

#include <algorithm>
#include <numeric>

#include "runtime/aligned_buffer.h"

namespace bdc {

MemoryPlan PlanMemory(const std::vector<MemoryRequest>& requests) {
  std::vector<size_t> order(requests.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return requests[a].bytes > requests[b].bytes; });

  struct Placed {
    int64_t begin, end;
    int first, last;
  };
  std::vector<Placed> placed;  // by begin
  MemoryPlan plan;
  plan.offsets.resize(requests.size());
  constexpr auto kStep = static_cast<int64_t>(kAlignment);
  for (size_t index : order) {
    const MemoryRequest& request = requests[index];
    const int64_t bytes = (request.bytes + kStep - 1) / kStep * kStep;
    int64_t offset = 0;
    for (const Placed& other : placed) {
      const bool together = other.first <= request.last && request.first <= other.last;
      if (!together || other.end <= offset) continue;
      if (other.begin >= offset + bytes) break;
      offset = other.end;
    }
    plan.offsets[index] = offset;
    plan.bytes = std::max(plan.bytes, offset + bytes);
    const Placed place{offset, offset + bytes, request.first, request.last};
    placed.insert(std::upper_bound(placed.begin(), placed.end(), place,
                                   [](const Placed& a, const Placed& b) { return a.begin < b.begin; }),
                  place);
  }
  return plan;
}

}  // namespace bdc
