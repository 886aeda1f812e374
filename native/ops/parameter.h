#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
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

/// A learned constant of an operation: a place in the model file until Load, a copy of its own afterwards.
template <typename T>
class Parameter {
 public:
  Parameter() = default;
  explicit Parameter(std::span<const std::byte> source) : source_(source) {}

  /// Once more: nothing.
  void Load() {
    if (source_.empty()) return;
    values_ = AlignedBuffer<T>(source_.size() / sizeof(T));
    std::memcpy(values_.data(), source_.data(), source_.size());
    source_ = {};
  }

  /// nullptr for an optional parameter that the model leaves out.
  const T* data() const { return values_.size() == 0 ? nullptr : values_.data(); }
  const T& operator[](size_t i) const { return values_[i]; }
  size_t size() const { return values_.size(); }

 private:
  std::span<const std::byte> source_;
  AlignedBuffer<T> values_;
};

}  // namespace bdc
