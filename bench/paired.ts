/** Something that is timed: `run` does the work once; the milliseconds are its own, or else the time it took. */
export interface Contestant {
  readonly name: string;
  run(): Promise<number | undefined>;
  close(): Promise<void>;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? NaN)) / 2;
}

/** How many times as long the peer took; null where it did not take part. */
export const ratioOf = (peer: number | undefined, ours: number): number | null =>
  peer === undefined ? null : peer / ours;

/**
 * Median milliseconds of each contestant. They take turns, so that a machine that is slower for a while is slower for all; the first turn
 * of each warms caches and is not counted.
 */
export async function runPaired(
  contestants: readonly Contestant[],
  repetitions: number,
): Promise<ReadonlyMap<string, number>> {
  const times = new Map(contestants.map(({ name }) => [name, [] as number[]]));
  for (let repetition = -1; repetition < repetitions; repetition++) {
    for (const contestant of contestants) {
      const start = performance.now();
      const own = await contestant.run();
      const elapsed = own ?? performance.now() - start;
      if (repetition >= 0) times.get(contestant.name)?.push(elapsed);
    }
  }
  return new Map([...times].map(([name, values]) => [name, median(values)]));
}
