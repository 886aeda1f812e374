/** How much earlier than its time a message may be: frames do not come exactly on time. */
const EARLY = 0.1;

/** Lets through so many a second at most, evenly. */
export class RateLimit {
  #dueMs = -Infinity;

  /** @param rate a second; 0: all */
  admits(rate: number, nowMs = performance.now()): boolean {
    if (rate === 0) return true;
    const periodMs = 1000 / rate;
    if (nowMs < this.#dueMs - EARLY * periodMs) return false;
    // the next one is due a period after this one was, unless that is long ago
    this.#dueMs = Math.max(this.#dueMs, nowMs - periodMs) + periodMs;
    return true;
  }
}
