#include <arm_neon.h>

#include "kernels/float-neon.h"
#include "kernels/kernel-list.h"
#include "kernels/pointwise-block-tables.h"

namespace bdc {
namespace {

/// 8 pixels a vector: one load and ADD for 32 multiply-adds.
struct Int16Neon {
  using Vector = int16x8_t;
  using Value = int16_t;
  using Input = int8_t;
  static constexpr int kPixels = 8;
  static Vector Zero() { return vdupq_n_s16(0); }
  static Vector Add(Vector a, Vector b) { return vaddq_s16(a, b); }
  static Vector Sub(Vector a, Vector b) { return vsubq_s16(a, b); }
  static Vector LoadInput(const int8_t* from) { return vmovl_s8(vld1_s8(from)); }
  static void StoreValue(int16_t* to, Vector x) { vst1q_s16(to, x); }
  static void AddToFloat(float* to, Vector x, bool first) {
    float32x4_t low = vcvtq_f32_s32(vmovl_s16(vget_low_s16(x))), high = vcvtq_f32_s32(vmovl_high_s16(x));
    if (!first) {
      low = vaddq_f32(low, vld1q_f32(to));
      high = vaddq_f32(high, vld1q_f32(to + 4));
    }
    vst1q_f32(to, low);
    vst1q_f32(to + 4, high);
  }
};

/// Four of Lanes' vectors as one, so that the work of finding an entry serves 64 bytes.
template <typename Lanes>
struct FourOf {
  using Part = typename Lanes::Vector;
  struct Vector {
    Part a, b, c, d;
  };
  using Value = typename Lanes::Value;
  using Input = typename Lanes::Input;
  static constexpr int kPart = Lanes::kPixels, kPixels = 4 * kPart;
  static Vector Zero() { return {Lanes::Zero(), Lanes::Zero(), Lanes::Zero(), Lanes::Zero()}; }
  static Vector Add(const Vector& x, const Vector& y) {
    return {Lanes::Add(x.a, y.a), Lanes::Add(x.b, y.b), Lanes::Add(x.c, y.c), Lanes::Add(x.d, y.d)};
  }
  static Vector Sub(const Vector& x, const Vector& y) {
    return {Lanes::Sub(x.a, y.a), Lanes::Sub(x.b, y.b), Lanes::Sub(x.c, y.c), Lanes::Sub(x.d, y.d)};
  }
  static Vector LoadInput(const Input* from) {
    return {Lanes::LoadInput(from), Lanes::LoadInput(from + kPart), Lanes::LoadInput(from + 2 * kPart),
            Lanes::LoadInput(from + 3 * kPart)};
  }
  static void StoreValue(Value* to, const Vector& x) {
    Lanes::StoreValue(to, x.a);
    Lanes::StoreValue(to + kPart, x.b);
    Lanes::StoreValue(to + 2 * kPart, x.c);
    Lanes::StoreValue(to + 3 * kPart, x.d);
  }
  static void AddToFloat(float* to, const Vector& x, bool first) {
    Lanes::AddToFloat(to, x.a, first);
    Lanes::AddToFloat(to + kPart, x.b, first);
    Lanes::AddToFloat(to + 2 * kPart, x.c, first);
    Lanes::AddToFloat(to + 3 * kPart, x.d, first);
  }
};

// Four chains of additions are enough, and 16 KB of tables leave room in an L1 of 32 KB.
template <typename Lanes>
constexpr int kLookupSums<FourOf<Lanes>> = 1;
template <typename Lanes>
constexpr int kSumChunk<FourOf<Lanes>> = 16;

using Int16Lanes = FourOf<Int16Neon>;

}  // namespace

void PointwiseBlockNeon(const PointwiseBlockArgs& args, const BlockRange& range, std::byte* scratch) {
  if (args.input_f32 != nullptr && args.pixels <= FloatNeon::kLanes) {
    // The one pixel of a refinement branch.
    RunPointwiseBlocksOf<FloatSumLanes<FloatNeon>, FloatNeon, false>(args, args.input_f32, range, scratch);
    return;
  }
  RunPointwiseBlocks<Int16Lanes, FloatNeon, FourOf<HalfSumLanes<FloatNeon>>,
                     FourOf<FloatSumLanes<FloatNeon>>>(args, range, scratch);
}

int64_t PointwiseBlockScratchNeon(int channels) { return PointwiseBlockScratch<Int16Lanes>(channels); }

}  // namespace bdc
