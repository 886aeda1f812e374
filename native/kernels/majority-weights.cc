#include "kernels/majority-weights.h"

#include <algorithm>
#include <bit>
#include <stdexcept>
#include <string>

namespace bdc {
namespace {

/// The distinct tap ranges of an axis and the one of each output position.
void ClassifyAxis(int out, int in, int kernel, int stride, int pad, std::vector<TapRange>* ranges,
                  std::vector<uint16_t>* classes) {
  for (int i = 0; i < out; ++i) {
    const int start = i * stride - pad;
    const int begin = std::clamp(-start, 0, kernel);
    const TapRange range{begin, std::clamp(in - start, begin, kernel)};
    const auto found = std::find(ranges->begin(), ranges->end(), range);
    classes->push_back(static_cast<uint16_t>(found - ranges->begin()));
    if (found == ranges->end()) ranges->push_back(range);
  }
}

/// The index of look-up `i` of a chunk; the new literal's sign joins the others. Returns the next look-up.
int TripleIndex(int i, std::vector<uint8_t>* signs, uint8_t* indices) {
  const uint8_t a = (*signs)[3 * i], b = (*signs)[3 * i + 1], c = (*signs)[3 * i + 2];
  indices[i] = static_cast<uint8_t>(8 * (a | b << 1 | c << 2));
  signs->push_back(a ^ b ^ c);
  return i + 1;
}

/// The same of the pair that look-ups `i` and `i` + 1 are.
int PairIndices(int i, std::vector<uint8_t>* signs, uint8_t* indices) {
  const auto sign = [&](int k) { return (*signs)[i / 2 * 5 + k]; };
  const uint8_t a = sign(0), b = sign(1), c = sign(2), d = sign(3), e = sign(4);
  const int pair = i % kLookupStep / 2;
  uint8_t* const to = indices + i / kLookupStep * kLookupStep + pair;
  to[0] = static_cast<uint8_t>(8 * pair + (a | b << 1 | c << 2));
  to[kLookupStep / 2] = static_cast<uint8_t>(8 * kLookupStep / 2 + 16 * pair +
                                             ((a ^ e) | (b ^ e) << 1 | (c ^ e) << 2 | (d ^ e) << 3));
  signs->push_back(a ^ b ^ c ^ d ^ e);
  return i + 2;
}

}  // namespace

MajorityWeights::MajorityWeights(const BinaryConvShape& shape, const uint64_t* weight) : shape_(shape) {
  const int64_t depth = shape.Depth();
  if (depth > kMajorityMaxDepth) {
    throw std::invalid_argument("majority kernel: expected a depth of at most " +
                                std::to_string(kMajorityMaxDepth) + ", found " + std::to_string(depth));
  }
  const int step = 2 * kLookupStep;
  const int lookups = static_cast<int>((depth + step - 1) / step * kLookupStep);
  for (int first = 0; first < lookups; first += kChunkLookups) {
    chunks_.push_back({first, std::min(kChunkLookups, lookups - first)});
  }
  ClassifyAxis(shape.out_height, shape.in_height, shape.kernel_h, shape.stride_h, shape.pad_h, &y_ranges_,
               &y_class_);
  ClassifyAxis(shape.out_width, shape.in_width, shape.kernel_w, shape.stride_w, shape.pad_w, &x_ranges_,
               &x_class_);
  MakeIndices(weight);
  MakeBases(weight);
  MakeBorder();
}

void MajorityWeights::MakeIndices(const uint64_t* weight) {
  const int words = (shape_.in_channels + 63) / 64;
  const int taps = shape_.kernel_h * shape_.kernel_w;
  const int lookups = chunks_.back().first + chunks_.back().lookups;
  indices_.resize(static_cast<size_t>(lookups) * shape_.out_channels);
  parity_.resize(shape_.out_channels);
  std::vector<uint8_t> literals;
  for (int o = 0; o < shape_.out_channels; ++o) {
    literals.assign(2 * static_cast<size_t>(lookups), 0);
    for (int tap = 0; tap < taps; ++tap) {
      const uint64_t* bits = weight + (static_cast<int64_t>(o) * taps + tap) * words;
      for (int c = 0; c < shape_.in_channels; ++c) {
        literals[static_cast<size_t>(tap) * shape_.in_channels + c] = bits[c / 64] >> (c % 64) & 1;
      }
    }
    uint8_t carry = 0;
    for (const MajorityChunk& chunk : chunks_) {
      std::vector<uint8_t> queue = {carry};
      const auto first = literals.begin() + 2 * chunk.first;
      queue.insert(queue.end(), first, first + 2 * chunk.lookups);
      uint8_t* to = indices_.data() + int64_t{chunk.first} * shape_.out_channels + int64_t{o} * chunk.lookups;
      for (int i = 0; i < chunk.lookups;) {
        i = kPairsLookups ? PairIndices(i, &queue, to) : TripleIndex(i, &queue, to);
      }
      carry = queue.back();
    }
    parity_[o] = carry;
  }
}

void MajorityWeights::MakeBases(const uint64_t* weight) {
  const int words = (shape_.in_channels + 63) / 64;
  for (int o = 0; o < shape_.out_channels; ++o) {
    for (const TapRange& y : y_ranges_) {
      for (const TapRange& x : x_ranges_) {
        const int valid = (y.end - y.begin) * (x.end - x.begin);
        int base = valid * shape_.in_channels;
        for (int ky = 0; ky < shape_.kernel_h; ++ky) {
          for (int kx = 0; kx < shape_.kernel_w; ++kx) {
            if (ky >= y.begin && ky < y.end && kx >= x.begin && kx < x.end) continue;
            const uint64_t* tap =
                weight + ((static_cast<int64_t>(o) * shape_.kernel_h + ky) * shape_.kernel_w + kx) * words;
            for (int w = 0; w < words; ++w) base += 2 * std::popcount(tap[w]);
          }
        }
        base_.push_back(base);
        const bool all = valid == shape_.kernel_h * shape_.kernel_w;
        if (all) usual_class_ = static_cast<int>(base_.size() - 1) % classes();
      }
    }
  }
}

void MajorityWeights::MakeBorder() {
  const int columns = static_cast<int>(x_ranges_.size());
  border_begin_.push_back(0);
  for (int64_t block = 0; block < BlocksOf(shape_.OutPixels()); ++block) {
    const int64_t begin = block * kBlockPixels;
    const int64_t end = std::min(shape_.OutPixels(), begin + kBlockPixels);
    for (int64_t pixel = begin; pixel < end; ++pixel) {
      const int border_class =
          y_class_[pixel / shape_.out_width] * columns + x_class_[pixel % shape_.out_width];
      if (border_class == usual_class_) continue;
      const auto at = static_cast<uint16_t>(pixel - begin);
      BorderRun* const last =
          static_cast<int>(border_.size()) > border_begin_.back() ? &border_.back() : nullptr;
      if (last && last->border_class == border_class && last->first + last->count == at) {
        ++last->count;
      } else {
        border_.push_back({at, 1, static_cast<uint16_t>(border_class)});
      }
    }
    border_begin_.push_back(static_cast<int>(border_.size()));
  }
}

}  // namespace bdc
