// Bit planes to numbers, for vectors without GFNI.
//
// Everything here has internal linkage on purpose: each including file is compiled for another instruction
// set.
#pragma once

#include <cstdint>

namespace bdc {
namespace {

/// Swaps the bits of the mask with those `kShift` above them, in each quadword.
template <typename Bits, int kShift>
inline typename Bits::Vector DeltaSwap(typename Bits::Vector x, uint64_t mask) {
  const auto t = Bits::And(Bits::Xor(x, Bits::template ShiftRight<kShift>(x)), Bits::FillWord(mask));
  return Bits::Xor(x, Bits::Xor(t, Bits::template ShiftLeft<kShift>(t)));
}

/// 8×8 bits of each quadword: bit j of byte i → bit i of byte j (Hacker's Delight, section 7-3).
template <typename Bits>
inline typename Bits::Vector TransposeWords(typename Bits::Vector x) {
  x = DeltaSwap<Bits, 7>(x, 0x00aa00aa00aa00aau);
  x = DeltaSwap<Bits, 14>(x, 0x0000cccc0000ccccu);
  return DeltaSwap<Bits, 28>(x, 0x00000000f0f0f0f0u);
}

/// Eight planes as bytes: bit i of a byte comes from plane i. 128-bit lane l of bytes[k] is pixels 128·l +
/// 16·k … + 15.
template <typename Bits>
inline void PlanesToBytes(const typename Bits::Vector (&planes)[8], typename Bits::Vector (&bytes)[8]) {
  using Vector = typename Bits::Vector;
  const Vector p01[2] = {Bits::ZipLow8(planes[0], planes[1]), Bits::ZipHigh8(planes[0], planes[1])};
  const Vector p23[2] = {Bits::ZipLow8(planes[2], planes[3]), Bits::ZipHigh8(planes[2], planes[3])};
  const Vector p45[2] = {Bits::ZipLow8(planes[4], planes[5]), Bits::ZipHigh8(planes[4], planes[5])};
  const Vector p67[2] = {Bits::ZipLow8(planes[6], planes[7]), Bits::ZipHigh8(planes[6], planes[7])};
#pragma GCC unroll 2
  for (int h = 0; h < 2; ++h) {
    const Vector a[2] = {Bits::ZipLow16(p01[h], p23[h]), Bits::ZipHigh16(p01[h], p23[h])};
    const Vector b[2] = {Bits::ZipLow16(p45[h], p67[h]), Bits::ZipHigh16(p45[h], p67[h])};
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) {
      bytes[4 * h + 2 * i] = Bits::Transpose(Bits::ZipLow32(a[i], b[i]));
      bytes[4 * h + 2 * i + 1] = Bits::Transpose(Bits::ZipHigh32(a[i], b[i]));
    }
  }
}

}  // namespace
}  // namespace bdc
