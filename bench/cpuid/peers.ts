import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { MaskError, type MaskedSet, maskedEnvironment } from './mask.js';

const FOLDER = join(import.meta.dirname, '..', 'build');

function libraryFolder(): string {
  const { resolve } = createRequire(import.meta.url);
  return join(dirname(resolve('onnxruntime-node/package.json')), 'bin', 'napi-v6', 'linux', 'x64');
}

/** What onnxruntime doesn't see of the processor in this process. @throws MaskError if it isn't the copy that was loaded. */
export function hiddenFromPeers(): MaskedSet[] {
  const hidden = (process.env['MASKED_CPUID']?.split(' ') ?? []).filter(
    (set): set is MaskedSet => set !== '',
  );
  if (hidden.length === 0) return hidden;
  const loaded = readFileSync('/proc/self/maps', 'utf8').match(/\/\S*libonnxruntime\.so\S*/g) ?? [];
  const strange = loaded.find((path) => !path.startsWith(FOLDER));
  if (loaded.length === 0 || strange !== undefined) {
    throw new MaskError(`expected onnxruntime from ${FOLDER}; found ${strange ?? 'none loaded'}`);
  }
  return hidden;
}

/** Runs this command again in a process whose onnxruntime doesn't see `hidden`; its exit status. */
export function runWithout(hidden: readonly MaskedSet[]): number {
  const masked = maskedEnvironment(join(libraryFolder(), 'libonnxruntime.so.1'), hidden, FOLDER);
  const { status, signal, error } = spawnSync(
    process.execPath,
    [...process.execArgv, ...process.argv.slice(1)],
    {
      stdio: 'inherit',
      env: { ...process.env, ...masked },
    },
  );
  if (error !== undefined) throw error;
  if (signal !== null) {
    throw new MaskError(`the process whose onnxruntime doesn't see ${hidden.join(', ')} ended by ${signal}`);
  }
  return status ?? 1;
}
