/** `waiting`: no image yet, and the timeout has not passed since the start. */
export type Liveness = 'waiting' | 'live' | 'dead';

/**
 * Whether images keep coming, by the steady clock of this machine: stamps may be of a simulation that stands still, or of a clock that
 * jumps.
 */
export class CameraLiveness {
  readonly #timeoutMs: number;
  readonly #startMs = performance.now();
  #lastMs: number | undefined;
  #isSteady = false;

  /** @param timeoutMs silence after which a camera is dead; Infinity: never */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** An image with a new stamp came. */
  arrived(): void {
    this.#isSteady = this.state === 'live';
    this.#lastMs = performance.now();
  }

  /** Milliseconds since the last image; undefined before the first. */
  get silenceMs(): number | undefined {
    return this.#lastMs === undefined ? undefined : performance.now() - this.#lastMs;
  }

  /** Alive for longer than since its last image: not just back after a silence that may be everybody's. */
  get isSteady(): boolean {
    return this.#isSteady && this.state === 'live';
  }

  get state(): Liveness {
    const since = performance.now() - (this.#lastMs ?? this.#startMs);
    if (since >= this.#timeoutMs) return 'dead';
    return this.#lastMs === undefined ? 'waiting' : 'live';
  }
}
