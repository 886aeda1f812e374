#include <arm_neon.h>

#include "kernels/binary-block-majority.h"
#include "kernels/bit-transpose.h"
#include "kernels/float-neon.h"
#include "kernels/kernel-list.h"

namespace bdc {
namespace {

/// 128 pixels a vector; BSL makes a full adder of three instructions after the shared a ^ b.
struct NeonBits {
  using Vector = uint64x2_t;
  static constexpr int kBits = 128;

  static Vector Zero() { return vdupq_n_u64(0); }
  static Vector Fill(int bit) { return vdupq_n_u64(bit ? ~uint64_t{0} : 0); }
  static Vector FillWord(uint64_t x) { return vdupq_n_u64(x); }
  static Vector Xor(Vector a, Vector b) { return veorq_u64(a, b); }
  static Vector And(Vector a, Vector b) { return vandq_u64(a, b); }
  static Vector Xor3(Vector a, Vector b, Vector c) { return Xor(Xor(a, b), c); }
  /// Where a and b differ c decides, elsewhere a.
  static void FullAdd(Vector a, Vector b, Vector c, Vector* sum, Vector* carry) {
    const Vector differ = Xor(a, b);
    *sum = Xor(differ, c);
    *carry = vbslq_u64(differ, c, a);
  }
  /// Bits [shift, shift + 128) from a byte on, 0 ≤ shift < 8.
  static Vector LoadShifted(const uint8_t* from, int shift) {
    const Vector low = vreinterpretq_u64_u8(vld1q_u8(from));
    const Vector high = vreinterpretq_u64_u8(vld1q_u8(from + 8));
    // USHL shifts right by negative amounts, and a shift by 64 gives 0.
    return vorrq_u64(vshlq_u64(low, vdupq_n_s64(-shift)), vshlq_u64(high, vdupq_n_s64(64 - shift)));
  }
  /// table[sa | sb << 1 | sc << 2] = maj(a ^ sa, b ^ sb, c ^ sc); negating all inputs negates the majority.
  static void Majorities(Vector a, Vector b, Vector c, Vector* table) {
    const Vector differ = Xor(a, b), not_a = Not(a);
    table[0] = vbslq_u64(differ, c, a);      // maj(a, b, c)
    table[1] = vbslq_u64(differ, not_a, c);  // ¬a = b where a and b differ
    table[2] = vbslq_u64(differ, a, c);
    table[3] = vbslq_u64(differ, c, not_a);
    for (int i = 0; i < 4; ++i) table[7 - i] = Not(table[i]);
  }

  template <int kShift>
  static Vector ShiftRight(Vector x) {
    return vshrq_n_u64(x, kShift);
  }
  template <int kShift>
  static Vector ShiftLeft(Vector x) {
    return vshlq_n_u64(x, kShift);
  }
  static Vector ZipLow8(Vector a, Vector b) { return vreinterpretq_u64_u8(vzip1q_u8(As8(a), As8(b))); }
  static Vector ZipHigh8(Vector a, Vector b) { return vreinterpretq_u64_u8(vzip2q_u8(As8(a), As8(b))); }
  static Vector ZipLow16(Vector a, Vector b) { return vreinterpretq_u64_u16(vzip1q_u16(As16(a), As16(b))); }
  static Vector ZipHigh16(Vector a, Vector b) { return vreinterpretq_u64_u16(vzip2q_u16(As16(a), As16(b))); }
  static Vector ZipLow32(Vector a, Vector b) { return vreinterpretq_u64_u32(vzip1q_u32(As32(a), As32(b))); }
  static Vector ZipHigh32(Vector a, Vector b) { return vreinterpretq_u64_u32(vzip2q_u32(As32(a), As32(b))); }

  static Vector Transpose(Vector x) { return TransposeWords<NeonBits>(x); }

  /// values[p] = base − 2 · (ones + 2 · Σ 2^j counters[j]).
  static void ToValues(Vector ones, const Vector (&counters)[kMaxPlanes], int32_t base, int16_t* values) {
    Vector low[8], high[8], bytes[8], high_bytes[8];
    low[0] = ones;
    for (int j = 0; j < 7; ++j) low[j + 1] = counters[j];
    for (int j = 0; j < 8; ++j) high[j] = j + 7 < kMaxPlanes ? counters[j + 7] : Zero();
    PlanesToBytes<NeonBits>(low, bytes);
    PlanesToBytes<NeonBits>(high, high_bytes);
    const int16x8_t start = vdupq_n_s16(static_cast<int16_t>(base));
    for (int k = 0; k < 8; ++k) {
      const int16x8_t even = vreinterpretq_s16_u64(ZipLow8(bytes[k], high_bytes[k]));
      const int16x8_t odd = vreinterpretq_s16_u64(ZipHigh8(bytes[k], high_bytes[k]));
      vst1q_s16(values + 16 * k, vsubq_s16(start, vaddq_s16(even, even)));
      vst1q_s16(values + 16 * k + 8, vsubq_s16(start, vaddq_s16(odd, odd)));
    }
  }

 private:
  static Vector Not(Vector x) { return vreinterpretq_u64_u8(vmvnq_u8(As8(x))); }
  static uint8x16_t As8(Vector x) { return vreinterpretq_u8_u64(x); }
  static uint16x8_t As16(Vector x) { return vreinterpretq_u16_u64(x); }
  static uint32x4_t As32(Vector x) { return vreinterpretq_u32_u64(x); }
};

}  // namespace

void BinaryBlockNeon(const BinaryBlockArgs& args, const BlockRange& range, std::byte* scratch) {
  RunBinaryBlocks<NeonBits, FloatNeon>(args, range, scratch);
}

int64_t BinaryBlockScratchNeon(const MajorityWeights& weights, int channels) {
  return BinaryBlockScratch<NeonBits>(weights, channels);
}

void SweepNeon(const SweepArgs& args, const BlockRange& range) { RunSweep<FloatNeon>(args, range); }

}  // namespace bdc
