#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bdc {

/// Instruction sets that kernels are written for; all live in one binary, one is chosen at load.
enum class Isa { kPortable, kNeon, kNeonDotprod, kAvx2, kAvxVnni, kAvx512, kAmx };

/// `portable`, `neon`, `neon-dotprod`, `avx2`, `avx-vnni` (AVX2 and its VNNI), `avx512` (AVX-512 F/BW/VL +
/// VPOPCNTDQ, VBMI2, VNNI, GFNI), `amx` (that and AMX-TILE/INT8/BF16).
std::string_view IsaName(Isa isa);
std::optional<Isa> ParseIsa(std::string_view name);

/// What this CPU can run, slowest first; always holds kPortable.
std::vector<Isa> SupportedIsas();

/// The wanted set, else `$BDC_ISA`, else the fastest. Throws std::invalid_argument naming what the CPU
/// supports.
Isa ChooseIsa(std::optional<std::string> wanted);

}  // namespace bdc
