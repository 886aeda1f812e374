import type { Logger } from './rclnodejs-types.js';

/** Logs a condition once when it appears, again when its text changes or after a while, and says when it is over. */
export class ThrottledLog {
  readonly #logger: Logger;
  readonly #repeatMs: number;
  readonly #last = new Map<string, { readonly message: string; readonly at: number }>();

  constructor(logger: Logger, { repeatMs = 30_000 }: { readonly repeatMs?: number } = {}) {
    this.#logger = logger;
    this.#repeatMs = repeatMs;
  }

  /** @param condition what is wrong, as a key: one place reports one condition */
  warn(condition: string, message: string): void {
    const last = this.#last.get(condition);
    const now = performance.now();
    if (last?.message === message && now - last.at < this.#repeatMs) return;
    this.#last.set(condition, { message, at: now });
    this.#logger.warn(message);
  }

  /** The condition no longer holds; says so if it had been reported. */
  clear(condition: string, message: string): void {
    if (this.#last.delete(condition)) this.#logger.info(message);
  }
}
