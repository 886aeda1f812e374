/** What is compared of a box: class and centre in metres, base frame. */
export interface ClassifiedBox {
  readonly label: number;
  readonly position: readonly [number, number, number];
}

export interface ScoredBox extends ClassifiedBox {
  readonly score: number;
}

export interface BoxMatches {
  readonly matched: number;
  readonly truths: number;
  readonly predictions: number;
}

/**
 * Pairs predictions with true boxes as nuScenes does: in the order of falling score, each takes the nearest true box of its class that is
 * still free and whose centre is less than `maxDistance` metres away on the ground plane.
 */
export function matchBoxes(
  predictions: readonly ScoredBox[],
  truths: readonly ClassifiedBox[],
  maxDistance: number,
): BoxMatches {
  const free = new Set(truths);
  let matched = 0;
  for (const { label, position } of [...predictions].sort((a, b) => b.score - a.score)) {
    let nearest: ClassifiedBox | undefined;
    let least = maxDistance;
    for (const truth of free) {
      const distance = Math.hypot(truth.position[0] - position[0], truth.position[1] - position[1]);
      if (truth.label === label && distance < least) {
        least = distance;
        nearest = truth;
      }
    }
    if (nearest !== undefined) {
      free.delete(nearest);
      matched++;
    }
  }
  return { matched, truths: truths.length, predictions: predictions.length };
}
