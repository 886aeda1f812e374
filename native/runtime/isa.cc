#include "runtime/isa.h"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <utility>

#if defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#elif defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace bdc {
namespace {

constexpr std::pair<Isa, std::string_view> kNames[] = {
    {Isa::kPortable, "portable"}, {Isa::kNeon, "neon"},        {Isa::kNeonDotprod, "neon-dotprod"},
    {Isa::kAvx2, "avx2"},         {Isa::kAvxVnni, "avx-vnni"}, {Isa::kAvx512, "avx512"},
    {Isa::kAmx, "amx"},
};

std::string NamesOf(const std::vector<Isa>& isas) {
  std::string names;
  for (Isa isa : isas) {
    if (!names.empty()) names += ", ";
    names += IsaName(isa);
  }
  return names;
}

#if defined(__x86_64__)
/// Whether the CPU has AMX with int8 and bfloat16 and the operating system lets this process use it: Linux
/// asks for a request, as tiles make a thread's saved state larger by 8 KB.
bool HasAmx() {
#if defined(__linux__)
  constexpr unsigned kBfloat16 = 1u << 22, kTile = 1u << 24, kInt8 = 1u << 25;
  unsigned a, b, c, d;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
  if ((d & kBfloat16) == 0 || (d & kTile) == 0 || (d & kInt8) == 0) return false;
  constexpr long kRequestPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}
#endif

}  // namespace

std::string_view IsaName(Isa isa) {
  for (const auto& [value, name] : kNames) {
    if (value == isa) return name;
  }
  throw std::invalid_argument("not an instruction set: " + std::to_string(static_cast<int>(isa)));
}

std::optional<Isa> ParseIsa(std::string_view name) {
  for (const auto& [value, known] : kNames) {
    if (known == name) return value;
  }
  return std::nullopt;
}

std::vector<Isa> SupportedIsas() {
  std::vector<Isa> isas = {Isa::kPortable};
#if defined(__x86_64__)
  // __builtin_cpu_supports also asks whether the operating system saves the wide registers.
  __builtin_cpu_init();
  // F16C is older than AVX2; no CPU has one without the other.
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    isas.push_back(Isa::kAvx2);
    // PCs without AVX-512 from Alder Lake and Alder Lake-N on.
    if (__builtin_cpu_supports("avxvnni")) isas.push_back(Isa::kAvxVnni);
  }
  // VPOPCNTDQ came to servers and PCs together with VBMI, VBMI2, VNNI and GFNI (Ice Lake, Zen 4).
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vpopcntdq") &&
      __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2") &&
      __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("bmi2") &&
      __builtin_cpu_supports("gfni")) {
    isas.push_back(Isa::kAvx512);
    if (HasAmx()) isas.push_back(Isa::kAmx);
  }
#elif defined(__aarch64__)
  isas.push_back(Isa::kNeon);  // part of the base architecture
#if defined(__linux__)
  if (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) isas.push_back(Isa::kNeonDotprod);
#endif
#endif
  return isas;
}

Isa ChooseIsa(std::optional<std::string> wanted) {
  const std::vector<Isa> supported = SupportedIsas();
  std::string origin = "instruction set";
  if (!wanted) {
    const char* from_environment = std::getenv("BDC_ISA");
    if (from_environment == nullptr || *from_environment == '\0') return supported.back();
    wanted = from_environment;
    origin = "BDC_ISA";
  }
  const std::optional<Isa> isa = ParseIsa(*wanted);
  if (!isa) {
    throw std::invalid_argument(origin + " '" + *wanted + "' is unknown; this CPU supports " +
                                NamesOf(supported));
  }
  if (std::find(supported.begin(), supported.end(), *isa) == supported.end()) {
    throw std::invalid_argument(origin + " '" + *wanted + "' does not run here; this CPU supports " +
                                NamesOf(supported));
  }
  return *isa;
}

}  // namespace bdc
