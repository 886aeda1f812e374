// The int8 output of a binary layer as a table of its counts.
//
// Before rounding, a layer whose epilogue is a scale, a bias and RPReLU maps each sum of an output channel to
// one value, and there are only depth + 1 sums. Kernels that hold counts as bytes look values up, many at a
// time, instead of making 16-bit sums, floats and int8 of them.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/majority-weights.h"

namespace bdc {

/// Entries that one index byte tells apart; a table is whole pages. A count is an index and a page.
constexpr int kTablePage = 128;
/// Border classes that one shuffle of 16 bytes tells apart.
constexpr int kTableClasses = 16;

/// Where a pixel's byte lies in a block of bytes that comes from bit planes: lane l of vector k (64 bytes) is
/// sixteen pixels from 128 · l + 16 · k on.
inline int TablePlace(int pixel) { return (pixel >> 4 & 7) * 64 + (pixel >> 7) * 16 + (pixel & 15); }

class QuantizedTable {
 public:
  /// Whether values are a function of the channel and the count alone, and the table is worth its memory.
  static bool Takes(const MajorityWeights& weights, const BlockEpilogue& epilogue);
  /// Of `epilogue`, which `Takes` has agreed to.
  QuantizedTable(const MajorityWeights& weights, const BlockEpilogue& epilogue);

  int pages() const { return pages_; }
  /// Entry i is for the sum depth − 2 · i.
  const int8_t* channel(int channel) const {
    return entries_.data() + int64_t{channel} * pages_ * kTablePage;
  }
  /// What a border class adds to a count for the taps it misses, modulo 2^15: kTableClasses indices, then
  /// pages.
  const uint8_t* missed(int channel) const { return missed_.data() + int64_t{channel} * 2 * kTableClasses; }
  /// [kBlockPixels] border classes by TablePlace; nullptr where all pixels see every tap.
  const uint8_t* classes(int64_t block) const {
    return class_begin_[block] < 0 ? nullptr : classes_.data() + class_begin_[block];
  }

 private:
  int pages_;
  std::vector<int8_t> entries_;
  std::vector<uint8_t> missed_, classes_;
  std::vector<int64_t> class_begin_;  // [blocks]; −1: none
};

}  // namespace bdc
