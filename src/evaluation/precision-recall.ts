import type { BoxErrors } from './box-errors.js';
import { DETECTION_CONFIG, TRUE_POSITIVE_ERRORS } from './detection-config.js';
import type { TruePositiveError } from './detection-config.js';

/** One prediction of a class: its score, and its errors if it matched a true box. */
export interface ScoredMatch {
  readonly score: number;
  readonly errors: BoxErrors | undefined;
}

/** Recall is sampled from 0 to 100 % in steps of one. */
const STEPS = 101;
/** The first sampled recall that counts. */
const FIRST = Math.round(100 * DETECTION_CONFIG.minRecall) + 1;

export interface ClassFigures {
  readonly ap: number;
  /** 1 where nothing matched. */
  readonly errors: BoxErrors;
}

const NOTHING_FOUND: ClassFigures = {
  ap: 0,
  errors: Object.fromEntries(TRUE_POSITIVE_ERRORS.map((name) => [name, 1])) as BoxErrors,
};

/**
 * Average precision and mean errors of one class at one matching distance, as nuscenes-devkit computes them (`accumulate`, `calc_ap`,
 * `calc_tp`).
 *
 * @param matches all predictions of the class in the order of the submission
 * @param truths how many true boxes there are
 */
export function classFigures(matches: readonly ScoredMatch[], truths: number): ClassFigures {
  // Of equal scores the devkit takes the later first.
  const order = matches.map((_, i) => i).sort((a, b) => matches[b]!.score - matches[a]!.score || b - a);
  const sorted = order.map((i) => matches[i]!);
  const found = sorted.filter((match): match is ScoredMatch & { errors: BoxErrors } => !!match.errors);
  if (truths === 0 || found.length === 0) return NOTHING_FOUND;
  const recall: number[] = [];
  const precision: number[] = [];
  let hits = 0;
  sorted.forEach(({ errors }, i) => {
    if (errors !== undefined) hits++;
    recall.push(hits / truths);
    precision.push(hits / (i + 1));
  });
  const steps = Array.from({ length: STEPS }, (_, i) => (i === STEPS - 1 ? 1 : i * (1 / (STEPS - 1))));
  const precisions = steps.map((r) => interpolate(r, recall, precision, 0));
  const scores = sorted.map(({ score }) => score);
  const confidences = steps.map((r) => interpolate(r, recall, scores, 0));
  const foundScores = found.map(({ score }) => score).reverse();
  const last = Math.max(
    0,
    confidences.findLastIndex((confidence) => confidence !== 0),
  );
  const meanError = (name: TruePositiveError): number => {
    if (last < FIRST) return 1;
    const means = cumulativeMean(found.map(({ errors }) => errors[name])).reverse();
    return mean(
      confidences.slice(FIRST, last + 1).map((c) => interpolate(c, foundScores, means, means.at(-1)!)),
    );
  };
  const { minPrecision } = DETECTION_CONFIG;
  return {
    ap: mean(precisions.slice(FIRST).map((p) => Math.max(0, p - minPrecision))) / (1 - minPrecision),
    errors: Object.fromEntries(TRUE_POSITIVE_ERRORS.map((name) => [name, meanError(name)])) as BoxErrors,
  };
}

/** Piecewise linear, `xs` not falling; of equal ones the last counts; `right` beyond the last (numpy.interp). */
function interpolate(x: number, xs: readonly number[], ys: readonly number[], right: number): number {
  if (x > xs.at(-1)!) return right;
  let [low, high] = [-1, xs.length];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (xs[middle]! <= x) low = middle;
    else high = middle;
  }
  if (low === -1) return ys[0]!;
  if (xs[low] === x || low === xs.length - 1) return ys[low]!;
  return ys[low]! + ((ys[low + 1]! - ys[low]!) / (xs[low + 1]! - xs[low]!)) * (x - xs[low]!);
}

/** Mean up to each place, NaNs left out: 0 before the first number, 1 everywhere if there is none. */
function cumulativeMean(values: readonly number[]): number[] {
  if (values.every(Number.isNaN)) return values.map(() => 1);
  let [sum, count] = [0, 0];
  return values.map((value) => {
    if (!Number.isNaN(value)) {
      sum += value;
      count++;
    }
    return count === 0 ? 0 : sum / count;
  });
}

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
