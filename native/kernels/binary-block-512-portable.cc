#include "kernels/binary-block-majority.h"
#include "kernels/float-portable.h"
#include "kernels/kernel-list.h"

namespace bdc {
namespace {

/// Plain loops over words that any compiler turns into the vector instructions every CPU of its architecture
/// has.
struct PortableBits {
  struct alignas(64) Vector {
    uint64_t word[8];
  };
  static constexpr int kBits = 512;

  class Tables {
   public:
    explicit Tables(const Vector (*tables)[kStepEntries]) : tables_(tables) {}
    void LookUp(int step, uint64_t packed, Vector (&x)[8]) const {
      for (int i = 0; i < 8; ++i) x[i] = tables_[step][packed >> (8 * i) & 255];
    }

   private:
    const Vector (*tables_)[kStepEntries];
  };

  static Vector Fill(int bit) {
    Vector r;
    for (uint64_t& word : r.word) word = bit ? ~uint64_t{0} : 0;
    return r;
  }
  static Vector Zero() { return Fill(0); }
  static Vector Xor(const Vector& a, const Vector& b) {
    Vector r;
    for (int i = 0; i < 8; ++i) r.word[i] = a.word[i] ^ b.word[i];
    return r;
  }
  static Vector And(const Vector& a, const Vector& b) {
    Vector r;
    for (int i = 0; i < 8; ++i) r.word[i] = a.word[i] & b.word[i];
    return r;
  }
  static Vector Xor3(const Vector& a, const Vector& b, const Vector& c) { return Xor(Xor(a, b), c); }
  static Vector Majority(const Vector& a, const Vector& b, const Vector& c) {
    Vector r;
    for (int i = 0; i < 8; ++i) {
      r.word[i] = (a.word[i] & b.word[i]) | ((a.word[i] ^ b.word[i]) & c.word[i]);
    }
    return r;
  }
  static void FullAdd(const Vector& a, const Vector& b, const Vector& c, Vector* sum, Vector* carry) {
    *sum = Xor3(a, b, c);
    *carry = Majority(a, b, c);
  }
  static Vector Select(const Vector& which, const Vector& ones, const Vector& zeros) {
    Vector r;
    for (int i = 0; i < 8; ++i) {
      r.word[i] = (which.word[i] & ones.word[i]) | (~which.word[i] & zeros.word[i]);
    }
    return r;
  }
  /// Bits [shift, shift + 512) from a byte on, 0 ≤ shift < 8.
  static Vector LoadShifted(const uint8_t* from, int shift) {
    Vector low, high;
    std::memcpy(&low, from, sizeof low);
    std::memcpy(&high, from + 8, sizeof high);
    if (shift == 0) return low;
    for (int i = 0; i < 8; ++i) low.word[i] = low.word[i] >> shift | high.word[i] << (64 - shift);
    return low;
  }
  static void Majorities(const Vector& a, const Vector& b, const Vector& c, Vector* table) {
    for (int i = 0; i < 8; ++i) {
      table[i] = Majority(Xor(a, Fill(i & 1)), Xor(b, Fill(i >> 1 & 1)), Xor(c, Fill(i >> 2)));
    }
  }
  /// values[p] = base − 2 · (ones + 2 · Σ 2^j counters[j]).
  template <int kPlanes>
  static void ToValues(const Vector& ones, const Vector (&counters)[kPlanes], int32_t base, int16_t* values) {
    for (int p = 0; p < kBits; ++p) values[p] = static_cast<int16_t>(base - 2 * Bit(ones, p));
    for (int j = 0; j < kPlanes; ++j) {
      for (int p = 0; p < kBits; ++p) {
        values[p] = static_cast<int16_t>(values[p] - (Bit(counters[j], p) << (j + 2)));
      }
    }
  }

 private:
  static int Bit(const Vector& x, int p) { return static_cast<int>(x.word[p / 64] >> (p % 64) & 1); }
};

}  // namespace

void BinaryBlockPortable(const BinaryBlockArgs& args, const BlockRange& range, std::byte* scratch) {
  RunBinaryBlocks<PortableBits, FloatPortable>(args, range, scratch);
}

int64_t BinaryBlockScratchPortable(const MajorityWeights& weights, int channels) {
  return BinaryBlockScratch<PortableBits>(weights, channels);
}

void SweepPortable(const SweepArgs& args, const BlockRange& range) { RunSweep<FloatPortable>(args, range); }

}  // namespace bdc
