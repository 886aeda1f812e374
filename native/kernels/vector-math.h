#pragma once

#include <cstdint>
#include <cstring>

namespace bdc {
namespace {

// Internal linkage on purpose: including files are compiled for different instruction sets. Branch-free, so
// that compilers vectorise loops of them for the baseline instruction set.

/// eˣ of x ≤ 87, clamped to −87 (so never 0); NaN stays NaN. Of floats, or of vectors of them and of
/// uint32_t. Relative error ≤ 3e-7 + |x| · 7.5e-8: the power of 2 is rounded.
template <typename Real = float, typename Bits = uint32_t>
inline Real FastExpUpTo87(Real x) {
  x = x < -87.0f ? Real{} - 87.0f : x;
  const Real power = x * 1.44269504f;
  constexpr float kRound = 12582912.0f;  // 1.5 · 2^23: adding it rounds to an integer
  const Real shifted = power + kRound;
  const Real r = power - (shifted - kRound);
  // 2^r on ±½: minimax of degree 5 with 2^0 = 1, relative error 9.2e-8.
  Real p = 1.326472731e-3f * r + 9.671512991e-3f;
  p = p * r + 5.550733581e-2f;
  p = p * r + 2.402224243e-1f;
  p = p * r + 6.931470037e-1f;
  p = p * r + 1.0f;
  // The integer is in the lowest bits of `shifted`; all others are shifted out.
  Bits exponent;
  std::memcpy(&exponent, &shifted, sizeof exponent);
  exponent = (exponent << 23) + 0x3f800000u;
  Real scale;
  std::memcpy(&scale, &exponent, sizeof scale);
  return p * scale;
}

/// The same of any x, clamped to ±87 (so never infinite either).
inline float FastExp(float x) { return FastExpUpTo87(x > 87.0f ? 87.0f : x); }

/// log(1 + y) for y in [0, 1]: 2·artanh(y / (2 + y)) by its series; relative error ≤ 3e-7.
inline float FastLog1p(float y) {
  const float s = y / (2.0f + y);
  const float q = s * s;
  float p = 1.0f / 13;
  p = p * q + 1.0f / 11;
  p = p * q + 1.0f / 9;
  p = p * q + 1.0f / 7;
  p = p * q + 1.0f / 5;
  p = p * q + 1.0f / 3;
  return 2 * (s + s * q * p);
}

}  // namespace
}  // namespace bdc
