// Which steps an epilogue (block-epilogue.h) has, and which of their combinations have loops of their own.
#pragma once

#include <cstdint>
#include <initializer_list>

namespace bdc {
namespace {

enum class EpilogueStream { kNone, kFloat32, kFloat16 };
/// Which of two lines (quantized-lines.h) gives an int8 output.
enum class EpilogueLine { kNone, kLarger, kSmaller };

/// Which steps an epilogue has.
struct EpilogueSteps {
  bool scale = false;  // and bias
  bool activation = false, gate = false, final_activation = false;
  EpilogueStream residual = EpilogueStream::kNone, addend = EpilogueStream::kNone;
  bool factor = false;
  EpilogueStream stream = EpilogueStream::kNone;
  bool signs = false, quantized = false, sum = false;
  EpilogueLine line = EpilogueLine::kNone;  // instead of scale and activation, quantized being all there is

  /// A number of its own for each combination.
  constexpr uint32_t Key() const {
    uint32_t key = 0;
    for (bool step : {scale, activation, gate, final_activation, factor, signs, quantized, sum}) {
      key = key << 1 | uint32_t{step};
    }
    for (EpilogueStream type : {residual, addend, stream}) key = key << 2 | static_cast<uint32_t>(type);
    return key << 2 | static_cast<uint32_t>(line);
  }
};

constexpr EpilogueStream kHalf = EpilogueStream::kFloat16, kSingle = EpilogueStream::kFloat32;

/// The steps behind most convolutions: those have loops of their own.
constexpr EpilogueSteps kConvolutionSteps[] = {
    // A block in a row of blocks.
    {.scale = true, .activation = true, .residual = kHalf, .stream = kHalf, .signs = true},
    // The first one, the last one, and one alone.
    {.scale = true, .activation = true, .residual = kSingle, .stream = kHalf, .signs = true},
    {.scale = true, .activation = true, .residual = kHalf, .stream = kSingle},
    {.scale = true, .activation = true, .residual = kSingle, .stream = kSingle},
    // A 1×1 layer on int8 activations in a row of them.
    {.scale = true, .activation = true, .residual = kHalf, .stream = kHalf, .quantized = true},
    // The first layer of a unit, before a 1×1 layer on int8 or on real activations, and its second.
    {.quantized = true, .line = EpilogueLine::kLarger},
    {.quantized = true, .line = EpilogueLine::kSmaller},
    {.scale = true, .activation = true, .quantized = true},
    {.scale = true, .activation = true, .stream = kSingle},
    {.scale = true, .activation = true, .stream = kHalf},
    {.scale = true, .activation = true, .stream = kHalf, .sum = true},
};

/// The steps of most sweeps.
constexpr EpilogueSteps kSweepSteps[] = {
    // The end of a unit.
    {.gate = true, .residual = kHalf, .stream = kHalf, .signs = true},
    {.gate = true, .residual = kHalf, .stream = kHalf},
    {.gate = true, .residual = kSingle, .stream = kSingle, .signs = true},
    {.gate = true, .residual = kSingle, .stream = kSingle},
    {.gate = true, .residual = kSingle, .stream = kHalf, .signs = true},
    {.gate = true, .residual = kHalf, .stream = kSingle},
    // Another one's signs.
    {.gate = true, .residual = kHalf, .signs = true},
    {.gate = true, .residual = kHalf, .addend = kHalf, .factor = true, .signs = true},
    // Before int8 convolutions.
    {.gate = true, .residual = kHalf, .quantized = true},
    {.gate = true, .residual = kHalf, .stream = kHalf, .signs = true, .quantized = true},
    {.gate = true, .residual = kSingle, .quantized = true},
    {.gate = true, .residual = kSingle, .stream = kSingle, .signs = true, .quantized = true},
    // Added to something, or averaged with it.
    {.gate = true, .residual = kHalf, .addend = kHalf, .stream = kHalf, .signs = true},
    {.gate = true, .residual = kHalf, .addend = kHalf, .factor = true, .stream = kHalf, .signs = true},
    {.gate = true, .residual = kHalf, .addend = kHalf, .factor = true, .stream = kHalf},
    {.gate = true, .residual = kSingle, .addend = kSingle, .stream = kSingle, .signs = true},
    {.gate = true, .residual = kSingle, .addend = kSingle, .factor = true, .stream = kSingle, .signs = true},
    {.gate = true, .residual = kSingle, .addend = kSingle, .factor = true, .stream = kSingle},
    // Batch norm and signs.
    {.scale = true, .stream = kHalf, .signs = true},
    {.scale = true, .stream = kSingle, .signs = true},
    // Of a plane that has been made.
    {.signs = true},
    {.stream = kHalf, .signs = true},
    // What a 1×1 layer on int8 activations reads, where nothing before it gives that.
    {.quantized = true},
};

}  // namespace
}  // namespace bdc
