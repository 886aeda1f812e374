import { setTimeout } from 'node:timers/promises';

/**
 * How long a test waits for one thing: longer than a slow machine with much else to do needs, and so far below mocha's own limit that the
 * error of the wait comes first, which says what was missing.
 */
export const WAIT_LIMIT_MS = 60_000;
const LOOK_PERIOD_MS = 50;
const REPEAT_PERIOD_MS = 500;

/** Something that a test waited for has not come. */
export class WaitLimitError extends Error {
  override readonly name = 'WaitLimitError';
}

/**
 * What is waited for, or a `WaitLimitError` once the limit is over.
 * @param missing says what was awaited and what came instead
 */
export async function withDeadline<T>(
  awaited: Promise<T>,
  missing: () => string,
  limitMs = WAIT_LIMIT_MS,
): Promise<T> {
  const over = new AbortController();
  const limit = setTimeout(limitMs, undefined, { ref: false, signal: over.signal }).then(() => {
    throw new WaitLimitError(`waited ${limitMs / 1000} s in vain for ${missing()}`);
  });
  try {
    return await Promise.race([awaited, limit]);
  } finally {
    over.abort();
    limit.catch(() => undefined);
  }
}

/**
 * Does something again and again until what it is to bring about has come: best-effort messages are lost until each end knows of the other
 * one, which nobody can see, and where the machine is busy; reliable ones are lost until their publisher knows of the subscription.
 *
 * @param come a wait with a deadline of its own
 */
export async function repeatUntil<T>(
  come: Promise<T>,
  act: () => Promise<unknown>,
  periodMs = REPEAT_PERIOD_MS,
): Promise<T> {
  const isThere = come.then(() => true);
  // of an act that fails only its own error counts
  isThere.catch(() => undefined);
  do await act();
  while (!(await Promise.race([isThere, setTimeout(periodMs, false)])));
  return come;
}

/** What a look finds as soon as that is accepted; fails with what it found last. */
export async function eventually<T>(
  look: () => Promise<T>,
  accepts: (found: T) => boolean,
  limitMs = WAIT_LIMIT_MS,
): Promise<T> {
  const end = performance.now() + limitMs;
  for (;;) {
    const found = await look();
    if (accepts(found)) return found;
    if (performance.now() > end)
      throw new WaitLimitError(
        `looked ${limitMs / 1000} s in vain for ${String(accepts)}, found ${JSON.stringify(found)}`,
      );
    await setTimeout(LOOK_PERIOD_MS);
  }
}
