#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace bdc {
namespace {

// Internal linkage on purpose: including files are compiled for different instruction sets. Branch-free, so
// that compilers vectorise loops of them for the baseline instruction set; relative error ≤ 3e-7.

/// eˣ of x ≤ 87, clamped to −87 (so never 0); NaN stays NaN. Of floats, or of vectors of them and of int32_t.
template <typename Real = float, typename Int = int32_t>
inline Real FastExpUpTo87(Real x) {
  x = x < -87.0f ? Real{} - 87.0f : x;
  constexpr float kRound = 12582912.0f;  // 1.5 · 2^23: adding it rounds to an integer
  const Real shifted = x * 1.44269504f + kRound;
  const Real n = shifted - kRound;
  // ln 2 in two parts (Cody-Waite): n · 0.693359375 is exact.
  const Real r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  // Cephes expf: minimax on ±ln 2 / 2.
  Real p = 1.9875691500e-4f * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  constexpr auto kRoundBits = std::bit_cast<int32_t>(kRound);
  Int bits;
  std::memcpy(&bits, &shifted, sizeof bits);
  const Int exponent = (bits - kRoundBits + 127) << 23;
  Real power;
  std::memcpy(&power, &exponent, sizeof power);
  return p * power;
}

/// The same of any x, clamped to ±87 (so never infinite either).
inline float FastExp(float x) { return FastExpUpTo87(x > 87.0f ? 87.0f : x); }

/// log(1 + y) for y in [0, 1]: 2·artanh(y / (2 + y)) by its series.
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
