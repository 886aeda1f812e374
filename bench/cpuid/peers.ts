import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type MaskedSet, maskedEnvironment } from './mask.js';

const root = join(import.meta.dirname, '..', '..');

/** What onnxruntime doesn't see of the processor in this process. */
export const hiddenFromPeers = (): MaskedSet[] =>
  (process.env['MASKED_CPUID']?.split(' ') ?? []).filter((set): set is MaskedSet => set !== '');

/** Runs this command again in a process whose onnxruntime doesn't see `hidden`; its exit status. */
export function runWithout(hidden: readonly MaskedSet[]): number {
  const resolve = createRequire(import.meta.url).resolve;
  const binding = join(dirname(resolve('onnxruntime-node/package.json')), 'bin', 'napi-v6', 'linux', 'x64');
  const library = join(binding, 'libonnxruntime.so.1');
  const masked = maskedEnvironment(library, hidden, join(root, 'bench', 'build'));
  const { status, error } = spawnSync(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    stdio: 'inherit',
    env: { ...process.env, ...masked },
  });
  if (error !== undefined) throw error;
  return status ?? 1;
}
