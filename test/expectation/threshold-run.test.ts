import assert from 'node:assert/strict';
import { XMLParser } from 'fast-xml-parser';
import { checkText, verdictOf } from '../../src/expectation/checks.js';
import { junitXml } from '../../src/expectation/junit.js';
import { ThresholdRun, type FrameObservation, type Located } from '../../src/expectation/threshold-run.js';
import type { Thresholds } from '../../src/expectation/thresholds.js';

const at = (x: number, y: number, z: number, name = 'manmade'): Located => ({ x, y, z, class: name });

const FIGURES = {
  frames: { received: 4, processed: 3, dropped: 1 },
  latency_ms: { p50: 40, p99: 60, max: 70 },
  faults: 2,
  warnings: 0,
};

/** What was found for each check, by its name. */
function found(
  thresholds: Thresholds,
  frames: readonly FrameObservation[],
): Readonly<Record<string, unknown>> {
  const run = new ThresholdRun(thresholds);
  for (const frame of frames) run.add(frame);
  return Object.fromEntries(run.checks(FIGURES).map((check) => [check.name, check.found]));
}

describe('ThresholdRun', () => {
  const frames: readonly FrameObservation[] = [
    { seconds: 0, voxels: [at(1, 0, 0), at(5, 0, 1)], detections: [] },
    { seconds: 1, voxels: [at(5, 1, 1), at(5, -9, 1), at(5, 0, 1, 'car')], detections: [at(6, 0, 1, 'car')] },
    { seconds: 2, voxels: [], detections: [] },
  ];
  const any = { min: 0 };

  it('finds the figures of the run, and checks only what is named', () => {
    assert.deepEqual(
      found(
        { frames: { dropped_share: any, processed: any }, latency_ms: { max: any }, faults: any },
        frames,
      ),
      { 'frames.dropped_share': 0.25, 'frames.processed': 3, 'latency_ms.max': 70, faults: 2 },
    );
  });

  it('counts a frame at a time', () => {
    assert.deepEqual(
      found({ occupied_voxels: { mean: any, min: any, max: any }, detections: { mean: any } }, frames),
      {
        'occupied_voxels.mean': 5 / 3,
        'occupied_voxels.min': 0,
        'occupied_voxels.max': 3,
        'detections.mean': 1 / 3,
      },
    );
  });

  it('counts in a region what lies there, of its classes, in its time', () => {
    const ahead = { name: 'ahead', x: [4, 6], y: [-2, 2], occupied_voxels: { mean: any } } as const;
    const mean = 'region ahead: occupied_voxels.mean';
    assert.equal(found({ regions: [ahead] }, frames)[mean], 1);
    assert.equal(found({ regions: [{ ...ahead, classes: ['car'] }] }, frames)[mean], 1 / 3);
    assert.equal(found({ regions: [{ ...ahead, seconds: [0, 1] }] }, frames)[mean], 1.5);
    assert.equal(found({ regions: [{ ...ahead, z: [2, 3] }] }, frames)[mean], 0);
    assert.deepEqual(
      found(
        { regions: [{ name: 'a', frames_with_voxels: any, frames_with_detections: any, x: [4, 7] }] },
        frames,
      ),
      { 'region a: frames_with_voxels': 2 / 3, 'region a: frames_with_detections': 1 / 3 },
    );
  });

  it('fails what no frame could show', () => {
    const run = new ThresholdRun({ occupied_voxels: { min: { max: 5 } } });
    assert.deepEqual(run.checks(FIGURES).map(verdictOf), ['failed']);
  });

  it('takes both ends of a range in', () => {
    const check = (value: number | undefined) =>
      verdictOf({ name: '', expected: { min: 1, max: 2 }, found: value });
    assert.deepEqual([0.9, 1, 2, 2.1, undefined].map(check), [
      'failed',
      'passed',
      'passed',
      'failed',
      'not measured',
    ]);
  });

  it('says what was expected and found', () => {
    const text = (expected: object, value?: number): string =>
      checkText({ name: 'faults', expected, found: value });
    assert.equal(text({ min: 1, max: 3 }, 4), 'faults: expected from 1 to 3, found 4');
    assert.equal(text({ max: 3 }, 1 / 3), 'faults: expected at most 3, found 0.333');
    assert.equal(text({ min: 1 }), 'faults: expected at least 1, not measured here');
  });
});

describe('junitXml', () => {
  it('has a test case for each check', () => {
    const xml = junitXml(
      'a <bag>',
      [
        { name: 'good', expected: { min: 1 }, found: 1 },
        { name: 'bad & worse', expected: { max: 1 }, found: 2 },
        { name: 'unknown', expected: { max: 1 }, found: undefined },
      ],
      1.5,
    );
    const parsed = new XMLParser({ ignoreAttributes: false }).parse(xml) as {
      testsuites: { testsuite: Readonly<Record<string, unknown>> };
    };
    const suite = parsed.testsuites.testsuite;
    assert.deepEqual(
      [suite['@_name'], suite['@_tests'], suite['@_failures'], suite['@_skipped']],
      ['a <bag>', '3', '1', '1'],
    );
    const [good, bad, unknown] = suite['testcase'] as Readonly<Record<string, unknown>>[];
    assert.deepEqual(Object.keys(good!), ['@_classname', '@_name']);
    assert.equal(bad!['@_name'], 'bad & worse');
    assert.match(JSON.stringify(bad!['failure']), /bad & worse: expected at most 1, found 2/);
    assert.ok('skipped' in unknown!);
  });
});
