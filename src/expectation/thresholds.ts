import { Ajv, type ErrorObject } from 'ajv';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { BdcError } from '../errors.js';

/** Both ends included. */
export interface Range {
  readonly min?: number;
  readonly max?: number;
}

/** Of a count over all frames. */
export interface CountRanges {
  readonly mean?: Range;
  readonly min?: Range;
  readonly max?: Range;
}

export type Interval = readonly [from: number, to: number];

/** A box of space in the base frame (metres), and a time in it. */
export interface Region {
  readonly name: string;
  readonly x?: Interval;
  readonly y?: Interval;
  readonly z?: Interval;
  /** Since the first frame. */
  readonly seconds?: Interval;
  /** Names; all where left out. */
  readonly classes?: readonly string[];
  readonly occupied_voxels?: CountRanges;
  /** Of the share of frames, 0 … 1. */
  readonly frames_with_voxels?: Range;
  readonly detections?: CountRanges;
  readonly frames_with_detections?: Range;
}

/** config/replay_thresholds.schema.json, which describes each part. */
export interface Thresholds {
  readonly frames?: Readonly<Partial<Record<'received' | 'processed' | 'dropped' | 'dropped_share', Range>>>;
  readonly latency_ms?: Readonly<Partial<Record<'p50' | 'p99' | 'max', Range>>>;
  readonly faults?: Range;
  readonly warnings?: Range;
  readonly occupied_voxels?: CountRanges;
  readonly detections?: CountRanges;
  readonly regions?: readonly Region[];
}

interface Named {
  readonly classes: readonly { readonly name: string }[];
}

/** Every name that a region may count, of a model with the heads that it has. */
export function classNamesOf({
  occupancy,
  detection,
}: {
  readonly occupancy?: Named;
  readonly detection?: Named;
}): readonly string[] {
  const names = [...(occupancy?.classes ?? []), ...(detection?.classes ?? [])].map(({ name }) => name);
  return [...new Set(names)];
}

const SCHEMA = new URL('../../config/replay_thresholds.schema.json', import.meta.url);

/**
 * Reads a YAML or JSON file of thresholds.
 * @param knownClasses names that regions may use
 * @throws BdcError `THRESHOLDS_UNREADABLE`, or `THRESHOLDS_INVALID` with the place that is wrong
 */
export async function readThresholds(path: string, knownClasses: readonly string[]): Promise<Thresholds> {
  let content: unknown;
  try {
    content = parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new BdcError('configuration', {
      code: 'THRESHOLDS_UNREADABLE',
      message: `cannot read the thresholds in ${path}: ${(cause as Error).message}`,
      cause,
    });
  }
  const validate = new Ajv({ verbose: true, allErrors: true }).compile<Thresholds>(
    JSON.parse(readFileSync(SCHEMA, 'utf8')) as object,
  );
  if (!validate(content)) throw invalid(path, describe(validate.errors!));
  checkSense(path, content, knownClasses);
  return content;
}

/** What a schema cannot say. */
function checkSense(path: string, thresholds: Thresholds, knownClasses: readonly string[]): void {
  for (const [place, { min, max }] of rangesIn(thresholds)) {
    if (min !== undefined && max !== undefined && min > max)
      throw invalid(path, `${place} expects min at most max, found min ${min} and max ${max}`);
  }
  for (const { name, classes = [], ...region } of thresholds.regions ?? []) {
    for (const axis of ['x', 'y', 'z', 'seconds'] as const) {
      const [from, to] = region[axis] ?? [0, 1];
      if (from >= to) {
        throw invalid(
          path,
          `region "${name}": ${axis} expects [from, to] in rising order, found [${from}, ${to}]`,
        );
      }
    }
    const unknown = classes.find((wanted) => !knownClasses.includes(wanted));
    if (unknown !== undefined) {
      throw invalid(
        path,
        `region "${name}": the model has no class "${unknown}", it has ${knownClasses.join(', ')}`,
      );
    }
  }
}

function rangesIn(value: unknown, place = ''): readonly (readonly [string, Range])[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = Object.values(value).every((inner) => typeof inner === 'number') && !Array.isArray(value);
  if (own) return [[place, value]];
  return Object.entries(value).flatMap(([key, inner]) => rangesIn(inner, place ? `${place}.${key}` : key));
}

const invalid = (path: string, message: string): BdcError =>
  new BdcError('configuration', { code: 'THRESHOLDS_INVALID', message: `${path}: ${message}` });

/** An unknown key explains what else is wrong; next the innermost error: those of alternatives and of their parents say less. */
function describe(errors: readonly ErrorObject[]): string {
  const [innermost] = [...errors].sort((a, b) => b.instancePath.length - a.instancePath.length);
  const { instancePath, keyword, params, parentSchema, data, message } =
    errors.find((error) => error.keyword === 'additionalProperties') ?? innermost!;
  const place = instancePath.slice(1).replaceAll('/', '.');
  const at = place === '' ? 'the file' : place;
  if (keyword === 'additionalProperties') {
    const known = Object.keys((parentSchema as { readonly properties: object }).properties).join(', ');
    return `${at} has "${String(params['additionalProperty'])}", expected only ${known}`;
  }
  if (keyword === 'required' && /regions\.\d+$/.test(place)) {
    return `${at} checks nothing, expected a name and one of occupied_voxels, frames_with_voxels, detections, frames_with_detections`;
  }
  return `${at} ${message}, found ${JSON.stringify(data) ?? 'nothing'}`;
}
