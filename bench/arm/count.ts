import { execFileSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Block, parseBlocks } from './blocks.js';

/** A Node under qemu-user. */
export interface Guest {
  /** qemu and its options. */
  readonly emulator: readonly string[];
  readonly node: string;
  /** As `layOut` makes it, of bench/arm/guest.ts. */
  readonly tree: string;
  /** The number of the system call `kill`. */
  readonly mark: number;
  readonly environment: Readonly<Record<string, string>>;
}

export interface Count {
  readonly isa: string;
  /** Read and written between steps. */
  readonly bytes: number;
  /** The addon's instructions of one frame. */
  readonly blocks: readonly Block[];
}

/** Compiles the plugin into `folder`. */
export function buildPlugin(folder: string): string {
  const plugin = join(folder, 'count-blocks.so');
  const source = join(import.meta.dirname, 'count-blocks.c');
  execFileSync('cc', ['-O2', '-fPIC', '-shared', '-o', plugin, source]);
  return plugin;
}

/** Runs a model's frame in the emulator. What it counts is kept in `out`, and used where that is newer than the addon. */
export function countFrame(guest: Guest, plugin: string, model: string, out: string): Count {
  const addon = join(guest.tree, 'build', 'native', 'Release', 'bdc_occ.node');
  const kept = statSync(`${out}.json`, { throwIfNoEntry: false });
  if (kept === undefined || kept.mtimeMs < statSync(addon).mtimeMs) {
    writeFileSync(`${out}.json`, emulate(guest, plugin, model, out));
  }
  const { isa, bytes } = JSON.parse(readFileSync(`${out}.json`, 'utf8')) as Pick<Count, 'isa' | 'bytes'>;
  return { isa, bytes, blocks: parseBlocks(readFileSync(out, 'utf8')) };
}

function emulate(guest: Guest, plugin: string, model: string, out: string): string {
  const [qemu = '', ...options] = guest.emulator;
  const counting = `${plugin},counted=bdc_occ.node,mark=${guest.mark},out=${out}`;
  return execFileSync(
    qemu,
    [...options, '-plugin', counting, guest.node, join(guest.tree, 'bench', 'arm', 'guest.js'), model],
    { encoding: 'utf8', env: { ...process.env, ...guest.environment } },
  );
}
