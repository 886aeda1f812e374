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
    // counted from when this one was due, so that the rate holds on average, unless that is long ago
    const start = nowMs - this.#dueMs < periodMs ? this.#dueMs : nowMs;
    this.#dueMs = start + periodMs;
    return true;
  }
}
