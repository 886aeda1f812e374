import { loadEngine } from '../engine/load-engine.js';
import { shippedModel } from '../engine/shipped-model.js';
import type { Engine, Isa } from '../engine/types.js';

/** Values of `modelOption`, `threadsOption` and `isaOption`. */
export interface EngineFlags {
  readonly model?: string;
  readonly threads?: number;
  readonly isa?: Isa;
}

/** The engine that a command line asks for; the shipped model if it names none. @throws BdcError as `loadEngine` does */
export function openEngine({ model, threads, isa }: EngineFlags): Promise<Engine> {
  return loadEngine(model ?? shippedModel(), {
    logits: false,
    ...(threads !== undefined && { threads }),
    ...(isa !== undefined && { isa }),
  });
}
