#include "kernels/quantized-table.h"

#include "kernels/quantized-value.h"

namespace bdc {
namespace {

/// 256 channels under a 3×3 kernel; a longer table costs more than it saves.
constexpr int64_t kMostDepth = 2304;

}  // namespace

bool QuantizedTable::Takes(const MajorityWeights& weights, const BlockEpilogue& e) {
  const BinaryConvShape& s = weights.shape();
  // Of an even number of channels border pixels, which miss taps, have sums of the same parity.
  if (!IsQuantizedFunction(e) || s.Depth() > kMostDepth || s.in_channels % 2 != 0) return false;
  if (weights.classes() > kTableClasses) return false;
  for (int o = 0; o < s.out_channels; ++o) {
    if (weights.bases(o)[weights.usual_class()] != s.Depth()) return false;
  }
  return true;
}

QuantizedTable::QuantizedTable(const MajorityWeights& weights, const BlockEpilogue& e) {
  const auto depth = static_cast<int>(weights.shape().Depth());
  const int channels = weights.shape().out_channels;
  pages_ = depth / kTablePage + 1;
  entries_.resize(int64_t{channels} * pages_ * kTablePage);
  for (int o = 0; o < channels; ++o) {
    int8_t* const to = entries_.data() + int64_t{o} * pages_ * kTablePage;
    for (int count = 0; count <= depth; ++count) {
      to[count] = QuantizedValue(e, o, depth - 2 * count);
    }
  }
  for (int o = 0; o < channels; ++o) {
    uint8_t added[2][kTableClasses] = {};
    for (int k = 0; k < weights.classes(); ++k) {
      const int missed = (depth - weights.bases(o)[k]) / 2;
      added[0][k] = static_cast<uint8_t>(missed & (kTablePage - 1));
      added[1][k] = static_cast<uint8_t>(missed >> 7);
    }
    missed_.insert(missed_.end(), added[0], added[0] + 2 * kTableClasses);
  }
  for (int64_t block = 0; block < BlocksOf(weights.shape().OutPixels()); ++block) {
    const auto border = weights.border(block);
    class_begin_.push_back(border.empty() ? -1 : static_cast<int64_t>(classes_.size()));
    if (border.empty()) continue;
    classes_.resize(classes_.size() + kBlockPixels, static_cast<uint8_t>(weights.usual_class()));
    uint8_t* const classes = classes_.data() + class_begin_[block];
    for (const BorderRun& run : border) {
      for (int i = 0; i < run.count; ++i) {
        classes[TablePlace(run.first + i)] = static_cast<uint8_t>(run.border_class);
      }
    }
  }
}

}  // namespace bdc
