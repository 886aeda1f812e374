/**
 * Libraries that think the processor has fewer instruction sets than it has: onnxruntime can't be told which to use, it asks the processor.
 * So its CPUID instructions are replaced, in a copy, and answered by masked-cpuid.c.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Isa } from '../../src/engine/types.js';

/** Sets of instructions that can be hidden, as masked-cpuid.c names them; each has those behind it. */
export const HIDEABLE = ['amx', 'avx512', 'avx-vnni'] as const satisfies readonly Isa[];
export type MaskedSet = (typeof HIDEABLE)[number];

/** What a library must not see of a processor that has `supported`, to be left with `isa`. */
export function toHide(isa: Isa, supported: readonly Isa[]): MaskedSet[] {
  const kept = (HIDEABLE as readonly Isa[]).indexOf(isa);
  return HIDEABLE.slice(0, kept === -1 ? HIDEABLE.length : kept).filter((set) => supported.includes(set));
}

const CPUID = Buffer.from([0x0f, 0xa2]);
const UNKNOWN_INSTRUCTION = Buffer.from([0x0f, 0x0a]);

/** What a process needs in its environment to load `library`'s copy in its place. */
export function maskedEnvironment(
  library: string,
  hidden: readonly MaskedSet[],
  folder: string,
): Record<string, string> {
  mkdirSync(folder, { recursive: true });
  const preloaded = join(folder, 'masked-cpuid.so');
  const source = join(import.meta.dirname, 'masked-cpuid.c');
  run('cc', ['-O2', '-Wall', '-Wextra', '-Werror', '-fPIC', '-shared', '-o', preloaded, source]);
  const copy = join(folder, basename(library));
  if (!isNewer(copy, library)) copyWithoutCpuid(library, copy);
  return { LD_PRELOAD: preloaded, LD_LIBRARY_PATH: folder, MASKED_CPUID: hidden.join(' ') };
}

/** A copy of an x86-64 ELF file, CPUID instructions replaced. */
export function copyWithoutCpuid(file: string, copy: string): void {
  const content = readFileSync(file);
  const listing = 'objdump -d -j .text --no-show-raw-insn "$1" | grep -w cpuid';
  const lines = run('sh', ['-c', listing, 'sh', file]).trim().split('\n');
  for (const line of lines) {
    // Position-independent libraries have code at the address that is its place in the file.
    const place = parseInt(line, 16);
    if (!content.subarray(place, place + 2).equals(CPUID)) {
      throw new Error(`${file}: expected the instruction CPUID at byte ${place}, as objdump says`);
    }
    UNKNOWN_INSTRUCTION.copy(content, place);
  }
  copyFileSync(file, `${copy}.part`);
  writeFileSync(`${copy}.part`, content);
  renameSync(`${copy}.part`, copy);
}

function isNewer(file: string, than: string): boolean {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat !== undefined && stat.mtimeMs > statSync(than).mtimeMs;
}

function run(command: string, parameters: readonly string[]): string {
  try {
    return execFileSync(command, parameters, { encoding: 'utf8' });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`to hide instruction sets from a library a C compiler and objdump are needed: ${why}`, {
      cause: error,
    });
  }
}
