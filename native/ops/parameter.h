#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "runtime/aligned_buffer.h"

namespace bdc {

/// A tensor of the model file, its bytes inside the file and of the size its type and shape ask for.
struct StoredTensor {
  std::string dtype;  // as safetensors spells it: F32, I8, U64, …
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;
};

using StoredTensors = std::map<std::string, StoredTensor, std::less<>>;

/// A learned constant of an operation: places in the model file until Load, a copy of its own afterwards.
template <typename T>
class Parameter {
 public:
  Parameter() = default;
  explicit Parameter(std::span<const std::byte> source) : sources_{source} {}

  /// Before Load: the values of `other` follow the own ones.
  void Append(const Parameter& other) {
    sources_.insert(sources_.end(), other.sources_.begin(), other.sources_.end());
  }
  /// Before Load: whether the model has it.
  bool is_there() const { return !sources_.empty(); }

  /// Once more: nothing.
  void Load() {
    if (sources_.empty()) return;
    size_t bytes = 0;
    for (const auto& source : sources_) bytes += source.size();
    values_ = AlignedBuffer<T>(bytes / sizeof(T));
    auto* to = reinterpret_cast<std::byte*>(values_.data());
    for (const auto& source : sources_) to = std::copy(source.begin(), source.end(), to);
    sources_.clear();
  }

  /// nullptr for an optional parameter that the model leaves out.
  const T* data() const { return values_.size() == 0 ? nullptr : values_.data(); }
  const T& operator[](size_t i) const { return values_[i]; }
  size_t size() const { return values_.size(); }

 private:
  std::vector<std::span<const std::byte>> sources_;
  AlignedBuffer<T> values_;
};

}  // namespace bdc
