/*
 * Preloaded into a process whose libraries had their CPUID instructions replaced by 0F 0A (mask.ts), which no
 * x86-64 processor knows: answers each as CPUID does, without the instruction sets that $MASKED_CPUID names,
 * any of
 *
 *   amx avx512 avx-vnni
 *
 * The libraries then take the paths that they take on a processor without them.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

/* Bits to clear of CPUID leaf 7 (Intel's manual, volume 2A, table "Information Returned by CPUID"). */
struct Mask {
  const char *name;
  struct {
    uint32_t eax, ebx, ecx, edx;
  } subleaves[2];
};

#define BIT(n) (UINT32_C(1) << (n))

static const struct Mask masks[] = {
    /* AMX-BF16, AMX-TILE, AMX-INT8; AMX-FP16 */
    {"amx", {{0, 0, 0, BIT(22) | BIT(24) | BIT(25)}, {BIT(21), 0, 0, 0}}},
    /* F, DQ, IFMA, PF, ER, CD, BW, VL; VBMI, VBMI2, VNNI, BITALG, VPOPCNTDQ; 4VNNIW, 4FMAPS, VP2INTERSECT,
     * FP16; BF16 */
    {"avx512",
     {{0, BIT(16) | BIT(17) | BIT(21) | BIT(26) | BIT(27) | BIT(28) | BIT(30) | BIT(31),
       BIT(1) | BIT(6) | BIT(11) | BIT(12) | BIT(14), BIT(2) | BIT(3) | BIT(8) | BIT(23)},
      {BIT(5), 0, 0, 0}}},
    /* AVX-VNNI, AVX-IFMA; AVX-VNNI-INT8, AVX-NE-CONVERT, AVX-VNNI-INT16 */
    {"avx-vnni", {{0, 0, 0, 0}, {BIT(4) | BIT(23), 0, 0, BIT(4) | BIT(5) | BIT(10)}}},
};
enum { MASKS = sizeof masks / sizeof *masks };

static int masked[MASKS];

static void answer(greg_t *registers) {
  uint32_t leaf = (uint32_t)registers[REG_RAX], subleaf = (uint32_t)registers[REG_RCX];
  uint32_t eax, ebx, ecx, edx;
  __cpuid_count(leaf, subleaf, eax, ebx, ecx, edx);
  for (int i = 0; leaf == 7 && subleaf < 2 && i < MASKS; i++) {
    if (!masked[i]) continue;
    eax &= ~masks[i].subleaves[subleaf].eax;
    ebx &= ~masks[i].subleaves[subleaf].ebx;
    ecx &= ~masks[i].subleaves[subleaf].ecx;
    edx &= ~masks[i].subleaves[subleaf].edx;
  }
  registers[REG_RAX] = eax;
  registers[REG_RBX] = ebx;
  registers[REG_RCX] = ecx;
  registers[REG_RDX] = edx;
}

static void on_illegal_instruction(int signal_number, siginfo_t *info, void *context) {
  (void)info;
  greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
  const uint8_t *instruction = (const uint8_t *)(uintptr_t)registers[REG_RIP];
  if (instruction[0] != 0x0F || instruction[1] != 0x0A) {
    signal(signal_number, SIG_DFL);
    return; /* to the same instruction, which now ends the process */
  }
  answer(registers);
  registers[REG_RIP] += 2;
}

__attribute__((constructor)) static void start(void) {
  char names[64] = "";
  const char *given = getenv("MASKED_CPUID");
  strncpy(names, given ? given : "", sizeof names - 1);
  for (const char *name = strtok(names, " "); name; name = strtok(NULL, " ")) {
    int found = 0;
    for (int i = 0; i < MASKS; i++) {
      if (strcmp(name, masks[i].name) == 0) masked[i] = found = 1;
    }
    if (!found) {
      fprintf(stderr, "MASKED_CPUID: expected some of amx avx512 avx-vnni; found '%s'\n", name);
      abort();
    }
  }
  struct sigaction action = {.sa_sigaction = on_illegal_instruction, .sa_flags = SA_SIGINFO};
  sigemptyset(&action.sa_mask);
  sigaction(SIGILL, &action, NULL);
}
