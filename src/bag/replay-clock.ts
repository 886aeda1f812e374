export interface ReplayClockOptions {
  /** Bag time at the start, nanoseconds. */
  readonly start: bigint;
  /** Seconds of the bag in a second. */
  readonly rate: number;
  /** A steady clock, milliseconds. */
  readonly now?: () => number;
}

/** The time of a bag that is being played: runs at a rate, stands still while paused. */
export class ReplayClock {
  readonly #rate: number;
  readonly #now: () => number;
  /** Bag time at `#since`. */
  #base: bigint;
  #since: number;
  #isPaused = false;
  #wake = new Set<() => void>();

  constructor({ start, rate, now = () => performance.now() }: ReplayClockOptions) {
    this.#rate = rate;
    this.#now = now;
    this.#base = start;
    this.#since = now();
  }

  /** Nanoseconds. */
  get time(): bigint {
    if (this.#isPaused) return this.#base;
    return this.#base + BigInt(Math.round((this.#now() - this.#since) * 1e6 * this.#rate));
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  pause(): void {
    this.#set(this.time, true);
  }

  resume(): void {
    this.#set(this.time, false);
  }

  /** Goes on from another time: back to the start of a bag that is played again. */
  jump(time: bigint): void {
    this.#set(time, this.#isPaused);
  }

  /** Resolves once that time has come; at once if it is past. Rejects when aborted. */
  async sleepUntil(time: bigint, signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const left = time - this.time;
      if (left <= 0n) return;
      await this.#change(this.#isPaused ? undefined : Number(left) / 1e6 / this.#rate, signal);
    }
  }

  #set(time: bigint, isPaused: boolean): void {
    this.#base = time;
    this.#since = this.#now();
    this.#isPaused = isPaused;
    for (const wake of this.#wake) wake();
  }

  /** Until the clock was set, the signal came, or so many milliseconds went by. */
  #change(ms: number | undefined, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(() => wake(), ms);
      const wake = (): void => {
        clearTimeout(timer);
        this.#wake.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#wake.add(wake);
      signal.addEventListener('abort', wake);
    });
  }
}
