import { setImmediate } from 'node:timers/promises';

/** The event loop gets a turn after about so many milliseconds of work. */
const SLICE_MS = 4;

/** Cuts long work into slices between which the event loop runs. */
export class TimeSlices {
  #start = performance.now();

  /** To be awaited at short intervals: lets the event loop run where the slice is over. */
  async next(): Promise<void> {
    if (performance.now() - this.#start <= SLICE_MS) return;
    await setImmediate();
    this.#start = performance.now();
  }
}
