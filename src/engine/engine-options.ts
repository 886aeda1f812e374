import { availableParallelism } from 'node:os';
import { BdcError } from '../errors.js';
import { MAX_CORE } from './core-list.js';
import type { EngineOptions, Isa } from './types.js';

const MODES: readonly unknown[] = ['fast', 'reference'];
const RESIDUALS: readonly unknown[] = ['fp16', 'fp32'];
const MAX_THREADS = 1024;

export interface ResolvedOptions {
  /** Undefined: native code takes `$BDC_ISA`, else the best set of the CPU. */
  readonly isa: Isa | undefined;
  readonly threads: number;
  /** Empty: not pinned. */
  readonly affinity: readonly number[];
  readonly nice: number | undefined;
  readonly realtimePriority: number | undefined;
  readonly mode: 'fast' | 'reference';
  readonly residual: 'fp16' | 'fp32';
}

/** Options as given, else of the environment, else the defaults. @throws BdcError of kind `configuration` */
export function resolveOptions(options: EngineOptions): ResolvedOptions {
  const { isa, threads, affinity = [], nice, realtimePriority, mode, residual } = options;
  const wantedMode = mode ?? (process.env['BDC_ENGINE'] || 'fast');
  if (!MODES.includes(wantedMode)) {
    throw new BdcError('configuration', {
      code: 'ENGINE_OPTION',
      message: `engine mode (option mode or BDC_ENGINE): expected fast or reference, found ${wantedMode}`,
    });
  }
  const wantedResidual = residual ?? (process.env['BDC_RESIDUAL'] || 'fp16');
  if (!RESIDUALS.includes(wantedResidual)) {
    throw new BdcError('configuration', {
      code: 'ENGINE_OPTION',
      message: `engine residual (option residual or BDC_RESIDUAL): expected fp16 or fp32, found ${wantedResidual}`,
    });
  }
  const wantedThreads = threads ?? (affinity.length || Math.min(availableParallelism(), MAX_THREADS));
  checkInteger('threads', wantedThreads, 1, MAX_THREADS);
  for (const core of affinity) checkInteger('affinity', core, 0, MAX_CORE);
  if (nice !== undefined) checkInteger('nice', nice, -20, 19);
  if (realtimePriority !== undefined) checkInteger('realtimePriority', realtimePriority, 1, 99);
  return {
    isa,
    threads: wantedThreads,
    affinity,
    nice,
    realtimePriority,
    mode: wantedMode as 'fast' | 'reference',
    residual: wantedResidual as 'fp16' | 'fp32',
  };
}

function checkInteger(option: string, value: number, low: number, high: number): void {
  if (Number.isInteger(value) && value >= low && value <= high) return;
  throw new BdcError('configuration', {
    code: 'ENGINE_OPTION',
    message: `engine ${option}: expected an integer in ${low}…${high}, found ${value}`,
  });
}
