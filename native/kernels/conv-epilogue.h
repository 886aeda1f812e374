// What real convolutions do with their sums (ConvEpilogue), one stretch of a row at a time and all steps in
// registers. Brings no instructions of its own: `Float` is one of the float-*.h.
//
// Everything here has internal linkage on purpose: each including file is compiled for another instruction
// set.
#pragma once

#include <cstdint>
#include <iterator>
#include <span>
#include <type_traits>

#include "kernels/conv.h"

namespace bdc {
namespace {

enum class ConvStream { kNone, kFloat32, kFloat16 };

/// Which steps an epilogue has.
struct ConvSteps {
  bool slope = false, bias = false;  // of the activation
  ConvStream residual = ConvStream::kNone;
  bool relu = false;
  ConvStream output = ConvStream::kNone;
  bool quantized = false;
  bool operator==(const ConvSteps&) const = default;
};

/// The steps of most layers: those have loops of their own.
constexpr ConvSteps kUsualConvSteps[] = {
    {.output = ConvStream::kFloat32},
    {.output = ConvStream::kFloat16},
    {.slope = true, .output = ConvStream::kFloat32},
    {.slope = true, .quantized = true},
    {.relu = true, .output = ConvStream::kFloat32},
    {.relu = true, .quantized = true},
};

inline ConvSteps ConvStepsOf(const ConvEpilogue& e) {
  const auto stream = [](bool is_there, StreamType type) {
    if (!is_there) return ConvStream::kNone;
    return type == StreamType::kFloat32 ? ConvStream::kFloat32 : ConvStream::kFloat16;
  };
  return {.slope = e.activation.slope != nullptr,
          .bias = e.activation.bias_in != nullptr,
          .residual = stream(e.residual.data != nullptr, e.residual.type),
          .relu = e.relu,
          .output = stream(e.output != nullptr, e.output_type),
          .quantized = e.quantized != nullptr};
}

/// A channel's share of a ConvEpilogue; pointers at the first pixel of its planes.
struct ConvRow {
  float scale = 1.0f, bias = -0.0f;  // x + −0 is x, whatever x
  float bias_in = 0.0f, slope = 0.0f, bias_out = 0.0f;
  const void* residual = nullptr;
  void* output = nullptr;
  int8_t* quantized = nullptr;

  ConvRow() = default;
  ConvRow(const ConvEpilogue& e, int channel) {
    if (e.scale != nullptr) scale = e.scale[channel];
    if (e.bias != nullptr) bias = e.bias[channel];
    if (e.activation.slope != nullptr) slope = e.activation.slope[channel];
    if (e.activation.bias_in != nullptr) {
      bias_in = e.activation.bias_in[channel];
      bias_out = e.activation.bias_out[channel];
    }
    if (e.residual.data != nullptr) {
      const int64_t bytes = e.residual.type == StreamType::kFloat32 ? 4 : 2;
      residual = static_cast<const uint8_t*>(e.residual.data) + channel * e.residual.plane * bytes;
    }
    if (e.output != nullptr) output = e.output[channel];
    if (e.quantized != nullptr) quantized = e.quantized + channel * e.quantized_plane;
  }
};

/// Neighbours of a tile that are neighbours in the output too.
struct ConvPiece {
  int first, count;  // positions of the tile
  int64_t pixel;     // of the output, where the first one goes
};

/// What `store(to)` writes, the first `count` values of a vector.
template <int kLanes, typename T, typename Store>
inline void StoreFirst(int count, T* to, const Store& store) {
  T lanes[kLanes];
  store(lanes);
  for (int i = 0; i < count; ++i) to[i] = lanes[i];
}

/// Sums of a piece from `sums` on, which are readable up to a whole vector. Where `steps` is a constant the
/// compiler leaves the others out.
template <typename Float, typename Word>
inline __attribute__((always_inline)) void StoreConvPiece(const ConvSteps& steps, const Word* sums,
                                                          const ConvPiece& piece, const ConvRow& row,
                                                          float quantized_factor) {
  using Vector = typename Float::Vector;
  constexpr int kLanes = Float::kLanes;
  for (int i = 0; i < piece.count; i += kLanes) {
    const int64_t at = piece.pixel + i;
    Vector y;
    if constexpr (std::is_same_v<Word, float>) {
      y = Float::Load(sums + i);
    } else {
      y = Float::Add(Float::Mul(Float::FromInt32(sums + i), Float::Set(row.scale)), Float::Set(row.bias));
    }
    if (steps.bias) y = Float::Add(y, Float::Set(row.bias_in));
    if (steps.slope) y = Float::ScaleUnlessPositive(y, Float::Set(row.slope));
    if (steps.bias) y = Float::Add(y, Float::Set(row.bias_out));
    if (steps.residual == ConvStream::kFloat32)
      y = Float::Add(y, Float::Load(static_cast<const float*>(row.residual) + at));
    if (steps.residual == ConvStream::kFloat16)
      y = Float::Add(y, Float::LoadHalf(static_cast<const uint16_t*>(row.residual) + at));
    if (steps.relu) y = Float::ZeroIfNegative(y);
    const int left = piece.count - i;
    const bool is_whole = left >= kLanes;
    if (steps.output == ConvStream::kFloat32) {
      auto* const to = static_cast<float*>(row.output) + at;
      is_whole ? Float::Store(to, y) : Float::StoreFirst(to, y, left);
    }
    if (steps.output == ConvStream::kFloat16) {
      const auto store = [y](uint16_t* to) { Float::StoreHalf(to, y); };
      auto* const place = static_cast<uint16_t*>(row.output) + at;
      is_whole ? store(place) : StoreFirst<kLanes>(left, place, store);
    }
    if (steps.quantized) {
      const Vector q = Float::Mul(y, Float::Set(quantized_factor));
      const auto store = [q](int8_t* to) { Float::StoreQuantized(to, q); };
      is_whole ? store(row.quantized + at) : StoreFirst<kLanes>(left, row.quantized + at, store);
    }
  }
}

/// The finished sums of the channels of `rows`, Panel apart, to where they belong.
template <typename Float, int kPanel, size_t kIndex = 0, typename Word>
inline void StoreConvTile(const ConvSteps& steps, const Word* sums, std::span<const ConvRow> rows,
                          std::span<const ConvPiece> pieces, float quantized_factor) {
  constexpr bool is_usual = kIndex < std::size(kUsualConvSteps);
  if constexpr (is_usual) {
    if (steps != kUsualConvSteps[kIndex]) {
      return StoreConvTile<Float, kPanel, kIndex + 1>(steps, sums, rows, pieces, quantized_factor);
    }
  }
  for (const ConvRow& row : rows) {
    for (const ConvPiece& piece : pieces) {
      const Word* from = sums + piece.first;
      if constexpr (is_usual) {
        constexpr ConvSteps kSteps = kUsualConvSteps[kIndex];
        StoreConvPiece<Float>(kSteps, from, piece, row, quantized_factor);
      } else {
        StoreConvPiece<Float>(steps, from, piece, row, quantized_factor);
      }
    }
    sums += kPanel;
  }
}

}  // namespace
}  // namespace bdc
