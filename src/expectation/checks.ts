import type { Range } from './thresholds.js';

/** One threshold and what was found. */
export interface Check {
  /** For example `frames.processed`, `region wall ahead: occupied_voxels.mean`. */
  readonly name: string;
  readonly expected: Range;
  /** Undefined: this way of running cannot measure it. */
  readonly found: number | undefined;
}

export type Verdict = 'passed' | 'failed' | 'not measured';

/** NaN, from no frames at all, fails. */
export function verdictOf({ expected: { min = -Infinity, max = Infinity }, found }: Check): Verdict {
  if (found === undefined) return 'not measured';
  return found >= min && found <= max ? 'passed' : 'failed';
}

/** `at least 20`, `at most 0`, `from 1 to 2`. */
export function rangeText({ min, max }: Range): string {
  if (min !== undefined && max !== undefined) return `from ${min} to ${max}`;
  return min !== undefined ? `at least ${min}` : `at most ${max}`;
}

/** One line for people: `frames.processed: expected at least 20, found 18`. */
export function checkText(check: Check): string {
  const { name, expected, found } = check;
  const text = found === undefined ? 'not measured here' : `found ${Number(found.toFixed(3))}`;
  return `${name}: expected ${rangeText(expected)}, ${text}`;
}
