#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "ops/operation.h"
#include "ops/operation_reader.h"

namespace bdc {

/// One bit a value: x ≥ threshold where the channel's direction is +1, x ≤ threshold where it is −1; NaN
/// gives 0.
class Sign : public Operation {
 public:
  explicit Sign(OperationReader& reader);
  void Load(EngineMode mode, const KernelSet& kernels) override;
  void Run(const RunContext& context, Tensors inputs, Tensors outputs) const override;
  void RunReference(const RunContext& context, Tensors inputs, Tensors outputs) const override;
  /// Valid once loaded.
  const float* threshold() const { return threshold_.data(); }
  const int8_t* direction() const { return direction_.data(); }

 private:
  Parameter<float> threshold_;
  Parameter<int8_t> direction_;
};

/// Signs that are taken of some of a tensor's channels.
struct PlacedSign {
  std::shared_ptr<Sign> sign;
  int first_channel;    // of the tensor
  int first_threshold;  // of the sign
  int channels;

  /// What it takes of the tensor's channels [first, first + count), as if those were all; channels = 0:
  /// nothing.
  PlacedSign Within(int first, int count) const;
};

/// An operation that takes signs of its first output while it makes it.
class SignMaker : public Operation {
 public:
  explicit SignMaker(std::vector<PlacedSign> signs = {}) : signs_(std::move(signs)) {}
  /// Its planes become one more output.
  void TakeSign(PlacedSign sign) { signs_.push_back(std::move(sign)); }
  const std::vector<PlacedSign>& signs() const { return signs_; }

 protected:
  void LoadSigns(EngineMode mode, const KernelSet& kernels) {
    for (const PlacedSign& placed : signs_) placed.sign->Load(mode, kernels);
  }

 private:
  std::vector<PlacedSign> signs_;
};

}  // namespace bdc
