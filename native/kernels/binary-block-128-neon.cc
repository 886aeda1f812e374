#include <arm_neon.h>

#include "kernels/binary-block-majority.h"
#include "kernels/float-neon.h"
#include "kernels/kernel-list.h"

namespace bdc {
namespace {

using TableSteps = const uint64x2_t (*)[kStepEntries];

/// Look-ups of two instructions: the AND of a shifted register and a load that adds it to the address.
class MaskedTables {
 public:
  explicit MaskedTables(TableSteps tables) : tables_(tables) {}

  void LookUp(int step, uint64_t packed, uint64x2_t (&x)[8]) const {
    // What GCC can't know it leaves as it is: else it makes three instructions.
    uint64_t mask = 255 * sizeof x[0];
    const uint64x2_t* tables = tables_[step];
    asm("" : "+r"(mask));
    asm("" : "+r"(tables));
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) {
      const uint64_t offset = mask & (i == 0 ? packed << 4 : packed >> (8 * i - 4));
      x[i] = *reinterpret_cast<const uint64x2_t*>(reinterpret_cast<const uint8_t*>(tables) + offset);
    }
  }

 private:
  TableSteps tables_;
};

/// Look-ups of two instructions that are one operation each to a Cortex-A72, where an address of two
/// registers is another: a bit field put into an address, and a load at a constant distance from it.
class InsertedTables {
 public:
  explicit InsertedTables(TableSteps tables)
      : even_(reinterpret_cast<uintptr_t>(tables)), odd_(reinterpret_cast<uintptr_t>(tables)) {}

  inline __attribute__((always_inline)) void LookUp(int step, uint64_t packed, uint64x2_t (&x)[8]) {
    // An entry's number among 16 alone, above bits that are 0 as the address has them.
    const uint64_t entries = packed & 0x0f0f0f0f0f0f0f0fu;
    asm("bfi %0, %1, 4, 4" : "+r"(even_) : "r"(entries));
    x[0] = Entry(even_, step, 0);
    Insert<1>(odd_, entries), x[1] = Entry(odd_, step, 0);
    Insert<2>(even_, entries), x[2] = Entry(even_, step, 1);
    Insert<3>(odd_, entries), x[3] = Entry(odd_, step, 1);
    Insert<4>(even_, entries), x[4] = Entry(even_, step, 2);
    Insert<5>(odd_, entries), x[5] = Entry(odd_, step, 3);
    Insert<6>(even_, entries), x[6] = Entry(even_, step, 4);
    Insert<7>(odd_, entries), x[7] = Entry(odd_, step, 5);
  }

 private:
  template <int kByte>
  static void Insert(uintptr_t& address, uint64_t entries) {
    asm("bfxil %0, %1, %2, 8" : "+r"(address) : "r"(entries), "n"(8 * kByte - 4));
  }
  static uint64x2_t Entry(uintptr_t address, int step, int table) {
    return reinterpret_cast<const uint64x2_t*>(address)[step * kStepEntries + 16 * table];
  }

  uintptr_t even_, odd_;
};

/// 128 pixels a vector; BSL makes a full adder of three instructions.
template <typename TablesT>
struct NeonBits {
  using Vector = uint64x2_t;
  using Tables = TablesT;
  static constexpr int kBits = 128;

  static Vector Zero() { return vdupq_n_u64(0); }
  static Vector Fill(int bit) { return vdupq_n_u64(bit ? ~uint64_t{0} : 0); }
  static Vector Xor(Vector a, Vector b) { return veorq_u64(a, b); }
  static Vector And(Vector a, Vector b) { return vandq_u64(a, b); }
  static Vector Xor3(Vector a, Vector b, Vector c) { return Xor(Xor(a, b), c); }
  /// Where a and b differ c decides, elsewhere a.
  static void FullAdd(Vector a, Vector b, Vector c, Vector* sum, Vector* carry) {
    const Vector differ = Xor(a, b);
    *sum = Xor(differ, c);
    *carry = vbslq_u64(differ, c, a);
  }
  static Vector Select(Vector which, Vector ones, Vector zeros) { return vbslq_u64(which, ones, zeros); }
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

  /// values[p] = base − 2 · (ones + 2 · Σ 2^j counters[j]).
  template <int kPlanes>
  static void ToValues(Vector ones, const Vector (&counters)[kPlanes], int32_t base, int16_t* values) {
    // Plane i is bit i of 2 · (…): bit 0 is 0.
    const auto plane = [&](int i) {
      return i == 1 ? ones : i < 2 || i - 2 >= kPlanes ? Zero() : counters[i - 2];
    };
    uint8x16_t low[8], high[8];
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) {
      low[i] = As8(plane(i));
      high[i] = As8(plane(i + 8));
    }
    SwapPlanesAndPixels(low);
    SwapPlanesAndPixels(high);
    const int16x8_t start = vdupq_n_s16(static_cast<int16_t>(base));
#pragma GCC unroll 2
    for (int half = 0; half < 2; ++half) {
      uint16x8_t rows[8];
#pragma GCC unroll 8
      for (int i = 0; i < 8; ++i) {
        rows[i] = As16(half == 0 ? vzip1q_u8(low[i], high[i]) : vzip2q_u8(low[i], high[i]));
      }
      Transpose(rows);
#pragma GCC unroll 8
      for (int i = 0; i < 8; ++i) {
        vst1q_s16(values + 64 * half + 8 * i, vsubq_s16(start, vreinterpretq_s16_u16(rows[i])));
      }
    }
  }

 private:
  static Vector Not(Vector x) { return vreinterpretq_u64_u8(vmvnq_u8(As8(x))); }
  static uint8x16_t As8(Vector x) { return vreinterpretq_u8_u64(x); }
  static uint16x8_t As16(uint8x16_t x) { return vreinterpretq_u16_u8(x); }

  /// Bit p of byte b of plane i → bit i of byte b of plane p: pairs of planes change blocks of 4, 2 and 1
  /// bits.
  static void SwapPlanesAndPixels(uint8x16_t (&planes)[8]) {
    const uint8x16_t low_pairs = vdupq_n_u8(0x33), even = vdupq_n_u8(0x55);
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      const uint8x16_t a = planes[i], b = planes[i + 4];
      planes[i] = vsliq_n_u8(a, b, 4);
      planes[i + 4] = vsriq_n_u8(b, a, 4);
    }
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      const int i = j + (j & 2);
      const uint8x16_t a = planes[i], b = planes[i + 2];
      planes[i] = vbslq_u8(low_pairs, a, vshlq_n_u8(b, 2));
      planes[i + 2] = vbslq_u8(low_pairs, vshrq_n_u8(a, 2), b);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 8; i += 2) {
      const uint8x16_t a = planes[i], b = planes[i + 1];
      planes[i] = vbslq_u8(even, a, vshlq_n_u8(b, 1));
      planes[i + 1] = vbslq_u8(even, vshrq_n_u8(a, 1), b);
    }
  }

  /// 8×8. A round turns the six bits of an element's place, row and column, by one.
  static void Transpose(uint16x8_t (&rows)[8]) {
#pragma GCC unroll 3
    for (int round = 0; round < 3; ++round) {
      uint16x8_t turned[8];
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) {
        turned[2 * i] = vzip1q_u16(rows[i], rows[i + 4]);
        turned[2 * i + 1] = vzip2q_u16(rows[i], rows[i + 4]);
      }
#pragma GCC unroll 8
      for (int i = 0; i < 8; ++i) rows[i] = turned[i];
    }
  }
};

}  // namespace

void BinaryBlockNeon(const BinaryBlockArgs& args, const BlockRange& range, std::byte* scratch) {
  RunBinaryBlocks<NeonBits<InsertedTables>, FloatNeon>(args, range, scratch);
}

void BinaryBlockNeonDotprod(const BinaryBlockArgs& args, const BlockRange& range, std::byte* scratch) {
  RunBinaryBlocks<NeonBits<MaskedTables>, FloatNeon>(args, range, scratch);
}

int64_t BinaryBlockScratchNeon(const MajorityWeights& weights, int channels) {
  return BinaryBlockScratch<NeonBits<InsertedTables>>(weights, channels);
}

void SweepNeon(const SweepArgs& args, const BlockRange& range) { RunSweep<FloatNeon>(args, range); }

}  // namespace bdc
