import type { Logger } from './rclnodejs-types.js';

/** Logs a condition when it appears, and while it lasts or comes again once in a while. */
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
    if (this.#isDue(condition)) this.#logger.warn(message);
  }

  info(condition: string, message: string): void {
    if (this.#isDue(condition)) this.#logger.info(message);
  }

  error(condition: string, message: string): void {
    if (this.#isDue(condition)) this.#logger.error(message);
  }

  #isDue(condition: string): boolean {
    const now = performance.now();
    const last = this.#lastAt.get(condition);
    if (last !== undefined && now - last < this.#repeatMs) return false;
    this.#lastAt.set(condition, now);
    return true;
  }
}
