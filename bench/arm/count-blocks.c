/*
 * Plugin of qemu-user (version 1 of its interface, QEMU 6 on): counts how often each translated block of one
 * file ran.
 *
 *   qemu-aarch64 -plugin count-blocks.so,counted=bdc_occ.node,mark=129,out=blocks.txt …
 *
 * Counting starts at the last system call of that number (129: kill on 64-bit ARM, which
 * process.kill(process.pid, 0) makes). At the end `out` gets a line a block: its offset in the file (hex),
 * how often it ran, and its instructions' bytes (hex, one word an instruction, in the order of memory). A
 * block that was translated twice has two lines.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is used of qemu-plugin.h, which Debian does not package. */
typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef void (*TranslationCallback)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void (*SyscallCallback)(qemu_plugin_id_t id, unsigned int vcpu, int64_t number, uint64_t a1,
                                uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7,
                                uint64_t a8);
typedef void (*ExitCallback)(qemu_plugin_id_t id, void *data);
enum { QEMU_PLUGIN_INLINE_ADD_U64 };
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
void *qemu_plugin_insn_haddr(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, TranslationCallback callback);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, int operation, void *to,
                                              uint64_t value);
void qemu_plugin_register_vcpu_syscall_cb(qemu_plugin_id_t id, SyscallCallback callback);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, ExitCallback callback, void *data);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

struct Block {
  struct Block *next;
  uint64_t count, before; /* before: count at the mark */
  uintptr_t address;      /* in this process */
  char *text;
};

static struct Block *blocks;
static const char *file, *out;
static int64_t mark = -1;

/* QEMU translates one block at a time. */
static void OnTranslation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb) {
  (void)id;
  const size_t instructions = qemu_plugin_tb_n_insns(tb);
  size_t length = 1;
  for (size_t i = 0; i < instructions; ++i)
    length += 2 * qemu_plugin_insn_size(qemu_plugin_tb_get_insn(tb, i)) + 1;
  struct Block *block = malloc(sizeof(struct Block));
  char *text = malloc(length);
  if (block == NULL || text == NULL) abort();
  *block =
      (struct Block){blocks, 0, 0, (uintptr_t)qemu_plugin_insn_haddr(qemu_plugin_tb_get_insn(tb, 0)), text};
  for (size_t i = 0; i < instructions; ++i) {
    const struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
    const unsigned char *bytes = qemu_plugin_insn_data(insn);
    *text++ = ' ';
    for (size_t j = 0; j < qemu_plugin_insn_size(insn); ++j) text += sprintf(text, "%02x", bytes[j]);
  }
  *text = '\0';
  blocks = block;
  qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64, &block->count, 1);
}

static void OnSyscall(qemu_plugin_id_t id, unsigned int vcpu, int64_t number, uint64_t a1, uint64_t a2,
                      uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7, uint64_t a8) {
  (void)id, (void)vcpu, (void)a1, (void)a2, (void)a3, (void)a4, (void)a5, (void)a6, (void)a7, (void)a8;
  if (number != mark) return;
  for (struct Block *block = blocks; block != NULL; block = block->next) block->before = block->count;
}

static void WriteBlocks(FILE *to, uintptr_t begin, uintptr_t end, uintptr_t offset) {
  for (const struct Block *block = blocks; block != NULL; block = block->next) {
    if (block->count == block->before || block->address < begin || block->address >= end) continue;
    fprintf(to, "%lx %lu%s\n", (unsigned long)(block->address - begin + offset),
            (unsigned long)(block->count - block->before), block->text);
  }
}

/* The guest's mappings are mappings of this process. */
static void OnExit(qemu_plugin_id_t id, void *data) {
  (void)id, (void)data;
  FILE *maps = fopen("/proc/self/maps", "r"), *to = fopen(out, "w");
  if (maps == NULL || to == NULL) {
    fprintf(stderr, "count-blocks: cannot write %s\n", out);
    exit(1);
  }
  char line[4096];
  while (fgets(line, sizeof line, maps) != NULL) {
    unsigned long begin, end, offset;
    line[strcspn(line, "\n")] = '\0';
    const size_t length = strlen(line), name = strlen(file);
    if (length < name || strcmp(line + length - name, file) != 0) continue;
    if (sscanf(line, "%lx-%lx %*s %lx", &begin, &end, &offset) == 3) WriteBlocks(to, begin, end, offset);
  }
  fclose(maps);
  fclose(to);
}

__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id, const void *info,
                                                               int argc, char **argv) {
  (void)info;
  for (int i = 0; i < argc; ++i) {
    if (strncmp(argv[i], "counted=", 8) == 0) file = strdup(argv[i] + 8);
    if (strncmp(argv[i], "mark=", 5) == 0) mark = atoll(argv[i] + 5);
    if (strncmp(argv[i], "out=", 4) == 0) out = strdup(argv[i] + 4);
  }
  if (file == NULL || out == NULL || mark < 0) {
    fprintf(stderr, "count-blocks: expected counted=NAME,mark=NUMBER,out=PATH\n");
    return 1;
  }
  qemu_plugin_register_vcpu_tb_trans_cb(id, OnTranslation);
  qemu_plugin_register_vcpu_syscall_cb(id, OnSyscall);
  qemu_plugin_register_atexit_cb(id, OnExit, NULL);
  return 0;
}
