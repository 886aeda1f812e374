/** Images by what became of them on their way to the node. */
export interface ImageFates {
  readonly received: number;
  /** Pushed out of the node's queue by newer ones before it took them: latest wins, as the depth of the topic says. */
  readonly overwritten: number;
  /** Never arrived. */
  readonly lost: number;
}

/** Stamp in nanoseconds, and when the node took the image, in milliseconds since the epoch. */
export type TakenImage = readonly [stamp: string, atMs: number];

/**
 * Tells images that a full queue pushed out from those that the transport lost. A queue of `depth` that has overflowed holds the newest
 * `depth`, so the first image taken behind the gap is as old as `depth − 1` periods; behind an image that got lost the next one is fresh.
 * Half a period is left for jitter.
 *
 * @param sent stamps of one camera's images, in order
 */
export function imageFates(
  sent: readonly number[],
  taken: readonly TakenImage[],
  { depth, periodMs }: { readonly depth: number; readonly periodMs: number },
): ImageFates {
  const takenAt = new Map(taken.map(([stamp, at]) => [Number(stamp), at]));
  const overflowAgeMs = (depth - 1.5) * periodMs;
  const fates = { received: 0, overwritten: 0, lost: 0 };
  let missing = 0;
  for (const stamp of sent) {
    const at = takenAt.get(stamp);
    if (at === undefined) {
      missing++;
      continue;
    }
    fates.received++;
    fates[at - stamp / 1e6 >= overflowAgeMs ? 'overwritten' : 'lost'] += missing;
    missing = 0;
  }
  fates.lost += missing;
  return fates;
}
