#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernel_tester.h"
#include "kernels/majority-weights.h"

namespace bdc {

/// What an epilogue holds in a test. Unset parts are absent.
struct EpilogueParts {
  bool bias = false, activation = false, gate = false, final_activation = false;
  bool residual = false, stream = true, signs = false, quantized = false, sums = false;
  StreamType residual_type = StreamType::kFloat32, stream_type = StreamType::kFloat32;
  bool steep = false;  // slopes of the activation above 1 too
};

/// Data of an epilogue, and what it gives when its steps are taken one by one in float32.
class EpilogueTester {
 public:
  EpilogueTester(const EpilogueParts& parts, int channels, int64_t pixels, uint32_t seed);

  BlockEpilogue epilogue() const { return epilogue_; }
  /// Fills all outputs with a pattern that no result has.
  void Reset();
  /// Expects the outputs of `values` [channels][pixels] in the range, and the pattern elsewhere.
  void Expect(const std::vector<float>& values, const BlockRange& range, bool scaled) const;

 private:
  float Finish(float value, int channel, int64_t pixel, bool scaled) const;

  EpilogueParts parts_;
  int channels_;
  int64_t pixels_, plane_;
  std::vector<float> vectors_[10];
  std::vector<int8_t> direction_;
  std::vector<float> residual_f32_, stream_f32_, block_sums_;
  std::vector<uint16_t> residual_f16_, stream_f16_;
  std::vector<uint64_t> signs_;
  std::vector<int8_t> quantized_;
  BlockEpilogue epilogue_;
};

/// Sign planes from bits(channel, pixel).
template <typename Bits>
std::vector<uint64_t> SignPlanes(int channels, int64_t pixels, const Bits& bits) {
  const int64_t words = SignPlaneWords(pixels);
  std::vector<uint64_t> planes(channels * words, 0);
  for (int c = 0; c < channels; ++c) {
    for (int64_t p = 0; p < pixels; ++p) {
      planes[c * words + p / 64] |= uint64_t{static_cast<bool>(bits(c, p))} << (p % 64);
    }
  }
  return planes;
}

}  // namespace bdc
