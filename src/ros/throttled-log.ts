import type { Logger } from './rclnodejs-types.js';

/** Warns of a condition when it appears, and while it lasts once in a while. */
export class ThrottledLog {
  readonly #logger: Logger;
  readonly #repeatMs: number;
  readonly #lastAt = new Map<string, number>();

  constructor(logger: Logger, { repeatMs = 30_000 }: { readonly repeatMs?: number } = {}) {
    this.#logger = logger;
    this.#repeatMs = repeatMs;
  }

  /** @param condition what is wrong, as a key: its message may change with every occurrence (stamps, counts) */
  warn(condition: string, message: string): void {
    const now = performance.now();
    const last = this.#lastAt.get(condition);
    if (last !== undefined && now - last < this.#repeatMs) return;
    this.#lastAt.set(condition, now);
    this.#logger.warn(message);
  }
}
