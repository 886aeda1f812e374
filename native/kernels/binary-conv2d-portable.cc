#include "kernels/binary-conv2d-panel.h"
#include "kernels/kernel-list.h"

namespace bdc {
namespace {

/// Popcount by adding neighbouring bit fields; plain loops over the lanes that any compiler turns into the
/// vector instructions every CPU of its architecture has.
struct PortableCounter {
  /// Byte counters gain at most 8 a word.
  static constexpr int kWordsPerByteCounter = 31;

  template <bool kMasked>
  static void Count(const Panel& panel, const uint64_t* weight, int64_t weight_stride, int channels,
                    int32_t (*mismatches)[kLanes]) {
    for (int c = 0; c < channels; ++c) {
      const uint64_t* row = weight + c * weight_stride;
      for (int lane = 0; lane < kLanes; ++lane) mismatches[c][lane] = 0;
      for (int first = 0; first < panel.depth; first += kWordsPerByteCounter) {
        const int rest = panel.depth - first;
        const int last = first + (rest < kWordsPerByteCounter ? rest : kWordsPerByteCounter);
        uint64_t bytes[kLanes] = {};
        for (int k = first; k < last; ++k) {
          for (int lane = 0; lane < kLanes; ++lane) {
            uint64_t x = panel.words[k][lane] ^ row[k];
            if constexpr (kMasked) x &= panel.masks[k][lane];
            x -= (x >> 1) & 0x5555555555555555u;
            x = (x & 0x3333333333333333u) + ((x >> 2) & 0x3333333333333333u);
            bytes[lane] += (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fu;
          }
        }
        for (int lane = 0; lane < kLanes; ++lane) {
          const uint64_t pairs =
              (bytes[lane] & 0x00ff00ff00ff00ffu) + ((bytes[lane] >> 8) & 0x00ff00ff00ff00ffu);
          mismatches[c][lane] += static_cast<int32_t>((pairs * 0x0001000100010001u) >> 48);
        }
      }
    }
  }
};

}  // namespace

void BinaryConv2dPortable(const BinaryConv2dArgs& args, int begin, int end) {
  RunBinaryConv2d<PortableCounter>(args, begin, end);
}

}  // namespace bdc
