import { availableParallelism } from 'node:os';
import { BdcError } from '../errors.js';
import type { EngineOptions, Isa } from './types.js';

const MODES: readonly unknown[] = ['fast', 'reference'];
const RESIDUALS: readonly unknown[] = ['fp16', 'fp32'];
const MAX_THREADS = 1024;

export interface ResolvedOptions {
  /** Undefined: native code takes `$BDC_ISA`, else the best set of the CPU. */
  readonly isa: Isa | undefined;
  readonly threads: number;
  readonly mode: 'fast' | 'reference';
  readonly residual: 'fp16' | 'fp32';
}

/** Options as given, else of the environment, else the defaults. @throws BdcError of kind `configuration` */
export function resolveOptions({ isa, threads, mode, residual }: EngineOptions): ResolvedOptions {
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
  const wantedThreads = threads ?? Math.min(availableParallelism(), MAX_THREADS);
  if (!Number.isInteger(wantedThreads) || wantedThreads < 1 || wantedThreads > MAX_THREADS) {
    throw new BdcError('configuration', {
      code: 'ENGINE_OPTION',
      message: `engine threads: expected an integer in 1…${MAX_THREADS}, found ${wantedThreads}`,
    });
  }
  return {
    isa,
    threads: wantedThreads,
    mode: wantedMode as 'fast' | 'reference',
    residual: wantedResidual as 'fp16' | 'fp32',
  };
}
