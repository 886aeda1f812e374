// Sign bits as a tap of a convolution sees them: for each output pixel of a run, the bit of its input pixel,
// 0 where that lies on padding.
//
// Everything here has internal linkage on purpose: each including file is compiled for another instruction
// set.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "kernels/binary-block.h"

namespace bdc {
namespace {

/// Sets bits [begin, end).
inline void SetBits(uint64_t* words, int begin, int end) {
  while (begin < end) {
    const int bit = begin % 64, count = end - begin < 64 - bit ? end - begin : 64 - bit;
    words[begin / 64] |= (count == 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1) << bit;
    begin += count;
  }
}

/// ORs the low `count` bits of `bits` in at bit `at`.
inline void PutBits(uint64_t* words, int at, int count, uint64_t bits) {
  if (count < 64) bits &= (uint64_t{1} << count) - 1;
  words[at / 64] |= bits << (at % 64);
  if (at % 64 + count > 64) words[at / 64 + 1] |= bits >> (64 - at % 64);
}

/// `count` ≤ 64 bits of a plane from bit `at` on; higher bits are anything.
inline uint64_t GetBits(const uint64_t* words, int64_t at, int count) {
  const int shift = static_cast<int>(at % 64);
  uint64_t bits = words[at / 64] >> shift;
  if (shift + count > 64) bits |= words[at / 64 + 1] << (64 - shift);
  return bits;
}

/// Bits 0, 2, 4, … moved together: 32 of them.
inline uint64_t EvenBits(uint64_t x) {
#if defined(__AVX512F__) && defined(__BMI2__)
  return _pext_u64(x, 0x5555555555555555u);  // slow on those CPUs only that have no AVX-512
#else
  x &= 0x5555555555555555u;
  x = (x | x >> 1) & 0x3333333333333333u;
  x = (x | x >> 2) & 0x0f0f0f0f0f0f0f0fu;
  x = (x | x >> 4) & 0x00ff00ff00ff00ffu;
  x = (x | x >> 8) & 0x0000ffff0000ffffu;
  return (x | x >> 16) & 0x00000000ffffffffu;
#endif
}

/// Calls `body(at, y, x_begin, x_end)` for the parts of rows that see the input through tap (ky, kx) among
/// output pixels [pixel, pixel + count): bit `at` is output pixel (y, x_begin).
template <typename Body>
inline void ForEachValidRun(const BinaryConvShape& s, int ky, int kx, int64_t pixel, int count,
                            const Body& body) {
  const int64_t stop = pixel + count < s.OutPixels() ? pixel + count : s.OutPixels();
  // Output columns whose input column x · stride + kx − pad lies inside.
  const int offset = kx - s.pad_w;
  const int first = offset >= 0 ? 0 : (-offset + s.stride_w - 1) / s.stride_w;
  const int room = s.in_width - 1 - offset;
  const int last = room < 0 ? -1 : room / s.stride_w;
  for (int64_t p = pixel; p < stop;) {
    const int y = static_cast<int>(p / s.out_width), x = static_cast<int>(p % s.out_width);
    const int64_t row = p - x;
    const int end = stop - row < s.out_width ? static_cast<int>(stop - row) : s.out_width;
    const int iy = y * s.stride_h - s.pad_h + ky;
    const int from = x > first ? x : first, to = end < last + 1 ? end : last + 1;
    if (iy >= 0 && iy < s.in_height && from < to) {
      body(static_cast<int>(row + from - pixel), y, from, to);
    }
    p = row + end;
  }
}

/// The tap of any convolution, row by row.
inline void GatherTap(const BinaryConvShape& s, const uint64_t* plane, int ky, int kx, int64_t pixel,
                      int count, uint64_t* words) {
  std::memset(words, 0, count / 8);
  ForEachValidRun(s, ky, kx, pixel, count, [&](int at, int y, int from, int to) {
    const int64_t row = int64_t{y * s.stride_h - s.pad_h + ky} * s.in_width + kx - s.pad_w;
    if (s.stride_w > 2) {
      for (int x = from; x < to; ++x) {
        PutBits(words, at + x - from, 1, GetBits(plane, row + int64_t{x} * s.stride_w, 1));
      }
      return;
    }
    const int step = 64 / s.stride_w;
    for (int x = from; x < to; x += step) {
      const int bits = to - x < step ? to - x : step;
      const uint64_t run = GetBits(plane, row + int64_t{x} * s.stride_w, (bits - 1) * s.stride_w + 1);
      PutBits(words, at + x - from, bits, s.stride_w == 2 ? EvenBits(run) : run);
    }
  });
}

/// Whether a tap is the input stream moved by a constant number of bits, but for the borders.
inline bool IsShifted(const BinaryConvShape& s) {
  return s.stride_h == 1 && s.stride_w == 1 && s.out_width == s.in_width;
}

}  // namespace
}  // namespace bdc
