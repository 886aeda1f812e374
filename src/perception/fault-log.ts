import type { BdcError } from '../errors.js';

export interface FaultCount {
  readonly code: string;
  readonly camera: string | undefined;
  readonly count: number;
  /** Of the last of them. */
  readonly message: string;
}

/** Counts faults by code and camera: a stream repeats the same one with every frame, people want to read it once. */
export class FaultLog {
  readonly #faults = new Map<string, FaultCount>();

  get counts(): readonly FaultCount[] {
    return [...this.#faults.values()];
  }

  add({ code, message }: BdcError, camera?: string): void {
    const key = `${code} ${camera ?? ''}`;
    this.#faults.set(key, { code, camera, message, count: (this.#faults.get(key)?.count ?? 0) + 1 });
  }
}
