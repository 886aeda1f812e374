#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "kernels/kernels.h"
#include "runtime/isa.h"

namespace bdc {

/// Calls `check` with the kernels of each instruction set this CPU runs; failures carry the set's name.
void ForEachIsa(const std::function<void(const KernelSet& kernels)>& check);

/// Reproducible numbers of a shape: the seed is the shape, so that a failure comes back when one case is run
/// alone.
std::vector<float> RandomFloats(size_t count, uint32_t seed);

inline int WordsFor(int channels) { return (channels + 63) / 64; }

/// `vectors` bit vectors of `channels` bits, WordsFor(channels) words each, padding bits 0.
std::vector<uint64_t> RandomBits(size_t vectors, int channels, uint32_t seed);

/// The bit vector with every channel set, repeated.
std::vector<uint64_t> FullBits(size_t vectors, int channels, bool set);

}  // namespace bdc
