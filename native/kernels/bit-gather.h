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

/// Writes runs of bits one behind the other.
class BitWriter {
 public:
  explicit BitWriter(uint64_t* to) : to_(to) {}
  /// The low `count` bits of `bits`, 0 < count ≤ 32; the others are 0.
  void Put(uint64_t bits, int count) {
    word_ |= bits << filled_;
    filled_ += count;
    if (filled_ < 64) return;
    *to_++ = word_;
    filled_ -= 64;
    word_ = filled_ > 0 ? bits >> (count - filled_) : 0;
  }
  void Finish() { *to_ = word_; }

 private:
  uint64_t* to_;
  uint64_t word_ = 0;
  int filled_ = 0;
};

/// Where a tap of a stride of 2 lies along one axis: input 2 · i + tap − pad is place i + shift of a phase.
struct PhaseTap {
  int phase, shift;
  PhaseTap(int tap, int pad) : phase((tap - pad) & 1), shift((tap - pad) >> 1) {}
};

/// Sign planes of an input that a convolution of stride 2 reads, parted into its four phases: bit x of row y
/// of phase (py, px) is input (2 · y + py, 2 · x + px). In a phase a tap is the output moved by a constant
/// number of bits, and every bit is moved together once where each tap would do it anew. Holds the rows that
/// a block of output pixels sees; rows outside the image are 0.
///
///   [channel][py][px][words()], bit kMargin + (y − first_row) · out_width + x
class PhasePlanes {
 public:
  /// Bits before the first one, which taps on the left padding reach.
  static constexpr int kMargin = 64;

  static bool Takes(const BinaryConvShape& s) {
    return s.stride_h == 2 && s.stride_w == 2 && s.kernel_h > 1 && s.kernel_w > 1 &&
           s.kernel_w - s.pad_w <= 64 && s.pad_w <= 64 && s.out_width == (s.in_width + 1) / 2;
  }
  explicit PhasePlanes(const BinaryConvShape& s)
      : rows_((kBlockPixels - 1) / s.out_width + 2 + PhaseTap(s.kernel_h - 1, s.pad_h).shift -
              PhaseTap(0, s.pad_h).shift),
        words_((kMargin + rows_ * int64_t{s.out_width} + kBlockPixels) / 64 + 2) {}

  int64_t words() const { return words_; }
  int64_t Words(const BinaryConvShape& s) const { return 4 * words_ * s.in_channels; }

  /// Bit of a phase at which output pixel `pixel` meets tap (ky, kx), the planes being those of the block
  /// that begins at output pixel `begin`.
  static int64_t BitOf(const BinaryConvShape& s, int64_t begin, int ky, int kx, int64_t pixel) {
    const int64_t row = PhaseTap(ky, s.pad_h).shift - FirstRow(s, begin);
    return kMargin + pixel + row * s.out_width + PhaseTap(kx, s.pad_w).shift;
  }

  void Part(const BinaryConvShape& s, const uint64_t* input, int64_t begin, uint64_t* to) const {
    const int64_t plane_words = SignPlaneWords(s.InPixels()), first_row = FirstRow(s, begin);
    for (int channel = 0; channel < s.in_channels; ++channel, input += plane_words) {
      for (int phase_y = 0; phase_y < 2; ++phase_y, to += 2 * words_) {
        BitWriter even(to + kMargin / 64), odd(to + words_ + kMargin / 64);
        for (int64_t row = first_row; row < first_row + rows_; ++row) {
          const int64_t y = 2 * row + phase_y;
          const bool is_inside = y >= 0 && y < s.in_height;
          for (int x = 0; x < s.out_width; x += 32) {
            const int count = s.out_width - x < 32 ? s.out_width - x : 32;
            const int room = s.in_width - 2 * x;
            const uint64_t run =
                is_inside ? GetBits(input, y * s.in_width + 2 * x, room < 2 * count ? room : 2 * count) : 0;
            const uint64_t mask = (uint64_t{1} << count) - 1;
            even.Put(EvenBits(run) & mask, count);
            odd.Put(EvenBits(run >> 1) & mask, count);
          }
        }
        even.Finish();
        odd.Finish();
      }
    }
  }

 private:
  static int64_t FirstRow(const BinaryConvShape& s, int64_t begin) {
    return begin / s.out_width + PhaseTap(0, s.pad_h).shift;
  }

  int rows_;
  int64_t words_;
};

/// Whether a tap is the input stream moved by a constant number of bits, but for the borders.
inline bool IsShifted(const BinaryConvShape& s) {
  return s.stride_h == 1 && s.stride_w == 1 && s.out_width == s.in_width;
}

}  // namespace
}  // namespace bdc
