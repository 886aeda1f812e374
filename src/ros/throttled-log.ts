import type { Logger } from './rclnodejs-types.js';

/** Logs a condition when it appears, and while it lasts or comes again once in a while. */
export class ThrottledLog {
  readonly #logger: Logger;
  readonly #repeatMs: number;
  /** Of the conditions that were logged in the last while. */
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
    for (const [key, at] of this.#lastAt) if (now - at >= this.#repeatMs) this.#lastAt.delete(key);
    if (this.#lastAt.has(condition)) return false;
    this.#lastAt.set(condition, now);
    return true;
  }
}

/** What was thrown as a condition: its kind and where it was thrown, without its message. */
export function thrownCondition(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const frame = error.stack?.split('\n').find((line) => /^\s+at .*:\d+:\d+\)?$/.test(line));
  return `${error.name}${frame ?? ''}`;
}
