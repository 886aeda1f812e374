import { loadEngine } from '../engine/load-engine.js';
import type { NetworkEngine } from '../engine/network-engine.js';
import { shippedModel } from '../engine/shipped-model.js';
import type { Isa } from '../engine/types.js';

/** Values of `modelOption` and `addEngineOptions` (options.ts). */
export interface EngineFlags {
  readonly model?: string;
  readonly threads?: number;
  readonly affinity?: readonly number[];
  readonly nice?: number;
  readonly realtimePriority?: number;
  readonly isa?: Isa;
}

/**
 * The engine that a command line asks for; the shipped model if it names none. What the system does not allow goes to standard error.
 * @throws BdcError as `loadEngine` does
 */
export async function openEngine({
  model,
  threads,
  affinity,
  nice,
  realtimePriority,
  isa,
}: EngineFlags): Promise<NetworkEngine> {
  const engine = await loadEngine(model ?? shippedModel(), {
    logits: false,
    ...(threads !== undefined && { threads }),
    ...(affinity !== undefined && { affinity }),
    ...(nice !== undefined && { nice }),
    ...(realtimePriority !== undefined && { realtimePriority }),
    ...(isa !== undefined && { isa }),
  });
  for (const warning of engine.warnings) process.stderr.write(`warning: ${warning}\n`);
  return engine;
}
