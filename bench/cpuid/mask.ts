/**
 * Libraries that think the processor has fewer instruction sets than it has: onnxruntime has no setting for those it uses, it asks the
 * processor. So its CPUID instructions are replaced, in a copy, and answered by masked-cpuid.c.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Isa } from '../../src/engine/types.js';

/** Sets of instructions that can be hidden, as masked-cpuid.c names them, from the highest down. */
const HIDEABLE = ['amx', 'avx512', 'avx-vnni'] as const satisfies readonly Isa[];
export type MaskedSet = (typeof HIDEABLE)[number];

/** What a library must not see of a processor that has `supported`, to be left with `isa`. */
export function toHide(isa: Isa, supported: readonly Isa[]): MaskedSet[] {
  const kept = (HIDEABLE as readonly Isa[]).indexOf(isa);
  return HIDEABLE.slice(0, kept === -1 ? HIDEABLE.length : kept).filter((set) => supported.includes(set));
}

const CPUID = Buffer.from([0x0f, 0xa2]);
const UNKNOWN_INSTRUCTION = Buffer.from([0x0f, 0x0a]);

/** A failure of a tool that hiding needs, or of the library's form. */
export class MaskError extends Error {
  constructor(what: string, cause?: unknown) {
    super(
      `cannot hide instruction sets from a library: ${what}. Install gcc and binutils, or give --no-equal-peers.`,
      { cause },
    );
    this.name = 'MaskError';
  }
}

/** What a process needs in its environment to load a copy of `library`, made in `folder`, that doesn't see `hidden`. */
export function maskedEnvironment(
  library: string,
  hidden: readonly MaskedSet[],
  folder: string,
): Record<string, string> {
  mkdirSync(folder, { recursive: true });
  const preloaded = join(folder, 'masked-cpuid.so');
  const source = join(import.meta.dirname, 'masked-cpuid.c');
  run('cc', ['-O2', '-Wall', '-Wextra', '-Werror', '-fPIC', '-shared', '-o', preloaded, source]);
  writeFileSync(join(folder, basename(library)), withoutCpuid(library));
  const before = (name: string, value: string): string =>
    process.env[name] ? `${value}:${process.env[name]}` : value;
  return {
    LD_PRELOAD: before('LD_PRELOAD', preloaded),
    LD_LIBRARY_PATH: before('LD_LIBRARY_PATH', folder),
    MASKED_CPUID: hidden.join(' '),
  };
}

/** The content of an x86-64 ELF file, CPUID instructions replaced. */
function withoutCpuid(file: string): Buffer {
  const content = readFileSync(file);
  // Only the lines asked for leave the shell: a large library's listing is gigabytes.
  const listing = `objdump -d -j .text --no-show-raw-insn "$1" | grep -E ':[[:space:]]+cpuid[[:space:]]*$'`;
  const lines = run('bash', ['-o', 'pipefail', '-c', `${listing} || [ $? = 1 ]`, 'bash', file]).match(/.+/g);
  if (lines === null) throw new MaskError(`${file}: found no CPUID instruction in it`);
  for (const line of lines) {
    // As GNU ld lays out position-independent libraries, an instruction's address is its place in the file.
    const place = parseInt(line, 16);
    if (!content.subarray(place, place + 2).equals(CPUID)) {
      throw new MaskError(
        `${file}: expected CPUID (0f a2) at byte ${place}, its address in objdump's listing`,
      );
    }
    UNKNOWN_INSTRUCTION.copy(content, place);
  }
  return content;
}

function run(command: string, parameters: readonly string[]): string {
  try {
    return execFileSync(command, parameters, { encoding: 'utf8' });
  } catch (error) {
    throw new MaskError(error instanceof Error ? error.message : String(error), error);
  }
}
