import assert from 'node:assert/strict';

import type { ModelManifest } from '../../src/engine/manifest.js';
import { BdcError } from '../../src/errors.js';
import { DetectionDecoder } from '../../src/perception/detection-decoder.js';
import { detectionClass, emptyDetectionMaps, engineOutput, manifest } from './engine-output.js';

/** 10 rows (y) of 1 m and 20 columns (x) of 2 m. */
const ROWS = 10;
const COLUMNS = 20;
const grid = { min: [-20, -5, -1], max: [20, 5, 5], shape: [40, 40, 8] } as const;

interface Put {
  readonly label?: number;
  readonly row: number;
  readonly column: number;
  readonly score: number;
  readonly reg?: readonly number[];
  readonly z?: number;
  readonly size?: readonly number[];
  readonly yaw?: number;
  readonly velocity?: readonly number[];
}

function mapsWith(objects: readonly Put[], classes = 2): ReturnType<typeof emptyDetectionMaps> {
  const maps = emptyDetectionMaps(classes, ROWS, COLUMNS);
  for (const { label = 0, row, column, score, reg, z = 0, size, yaw = 0, velocity } of objects) {
    const put = (role: string, values: readonly number[], first = 0): void =>
      values.forEach((value, channel) => {
        maps[role]!.data[((first + channel) * ROWS + row) * COLUMNS + column] = value;
      });
    put('heatmap', [Math.log(score / (1 - score))], label);
    put('reg', reg ?? [0.5, 0.5]);
    put('height', [z]);
    put('dim', (size ?? [1, 1, 1]).map(Math.log));
    put('rot', [Math.sin(yaw), Math.cos(yaw)]);
    put('vel', velocity ?? [0, 0]);
  }
  return maps;
}

const decoder = (changes: Partial<NonNullable<ModelManifest['detection']>> = {}): DetectionDecoder =>
  new DetectionDecoder({ grid, detection: { ...manifest.detection, ...changes } });

const decode = (objects: readonly Put[], changes: Parameters<typeof decoder>[0] = {}) =>
  decoder(changes).decode(engineOutput(mapsWith(objects)));

describe('DetectionDecoder', () => {
  it('decodes place, size, yaw, velocity and score of a peak', () => {
    const [box, ...others] = decode([
      {
        label: 1,
        row: 7,
        column: 3,
        score: 0.8,
        reg: [0.25, 0.75],
        z: 0.9,
        size: [4.6, 1.9, 1.6],
        yaw: -2.5,
        velocity: [3, -1],
      },
    ]);
    assert.deepEqual(others, []);
    assert.equal(box!.label, 1);
    const expected = [0.8, -20 + 3.25 * 2, -5 + 7.75, 0.9, 4.6, 1.9, 1.6, -2.5, 3, -1];
    [box!.score, ...box!.position, ...box!.size, box!.yaw, ...box!.velocity].forEach((value, i) =>
      assert.ok(Math.abs(value - expected[i]!) < 1e-5, `value ${i}: ${value}`),
    );
  });

  it('finds nothing in an empty heatmap', () => {
    assert.deepEqual(decode([]), []);
  });

  it('orders by score and leaves out what is below the threshold', () => {
    const scores = decode([
      { row: 1, column: 1, score: 0.3 },
      { row: 5, column: 9, score: 0.9 },
      { row: 8, column: 18, score: 0.09 },
    ]).map(({ score }) => score.toFixed(2));
    assert.deepEqual(scores, ['0.90', '0.30']);
  });

  it('takes the largest of 3 × 3 cells, and one of two equal neighbours', () => {
    const boxes = decode([
      { row: 2, column: 2, score: 0.6 },
      { row: 3, column: 3, score: 0.7 },
      { row: 8, column: 10, score: 0.5 },
      { row: 8, column: 11, score: 0.5 },
    ]);
    assert.deepEqual(
      boxes.map(({ position }) => position.slice(0, 2)),
      [
        [-20 + 3.5 * 2, -5 + 3.5],
        [-20 + 10.5 * 2, -5 + 8.5],
      ],
    );
  });

  it('finds peaks in the corners of the map', () => {
    const corners = [
      [0, 0],
      [0, COLUMNS - 1],
      [ROWS - 1, 0],
      [ROWS - 1, COLUMNS - 1],
    ];
    assert.equal(
      decode(corners.map(([row, column]) => ({ row: row!, column: column!, score: 0.5 }))).length,
      4,
    );
  });

  it('keeps the best max_candidates', () => {
    const objects = [0.2, 0.5, 0.4].map((score, i) => ({ row: 5, column: 2 + 5 * i, score }));
    const scores = decode(objects, { max_candidates: 2 }).map(({ score }) => score.toFixed(1));
    assert.deepEqual(scores, ['0.5', '0.4']);
  });

  it('suppresses an overlapping box, of another class too', () => {
    const size = [6, 2, 1.5];
    const boxes = decode([
      { label: 0, row: 5, column: 5, score: 0.6, size },
      { label: 1, row: 5, column: 6, score: 0.9, size },
    ]);
    assert.deepEqual(
      boxes.map(({ label }) => label),
      [1],
    );
  });

  it('compares turned rectangles', () => {
    // 6 × 1 m, 2 m apart: in line they share 4 of 8 m; side by side nothing.
    const pair = (yaw: number): readonly Put[] =>
      [5, 6].map((column) => ({ row: 5, column, score: 0.9 - column / 100, size: [6, 1, 1], yaw }));
    // Neighbouring cells are no two peaks of one class.
    const twoClasses = (yaw: number): readonly Put[] => pair(yaw).map((put, label) => ({ ...put, label }));
    assert.equal(decode(twoClasses(0)).length, 1);
    assert.equal(decode(twoClasses(Math.PI / 2)).length, 2);
  });

  it('scales rectangles by class before the comparison', () => {
    const pedestrians = [
      { label: 0, row: 5, column: 5, score: 0.9, size: [0.6, 0.6, 1.7] },
      { label: 0, row: 7, column: 5, score: 0.8, size: [0.6, 0.6, 1.7] },
    ];
    const classes = (scale: number) => ({
      classes: [detectionClass('pedestrian', scale), detectionClass('car', 1)],
    });
    assert.equal(decode(pedestrians, classes(1)).length, 2);
    assert.equal(decode(pedestrians, classes(6)).length, 1);
  });

  describe('refuses', () => {
    const malformed: readonly [string, (maps: ReturnType<typeof mapsWith>) => void, RegExp][] = [
      ['a missing map', (maps) => delete maps['vel'], /"vel" is missing.*heatmap/],
      ['a missing heatmap', (maps) => delete maps['heatmap'], /"heatmap" is missing/],
      [
        'a heatmap with another number of classes',
        (maps) => (maps['heatmap'] = emptyDetectionMaps(3, ROWS, COLUMNS)['heatmap']!),
        /\[1, 2, 10, 20\], found a Float32Array \[1, 3, 10, 20\]/,
      ],
      [
        'a map of another size',
        (maps) => (maps['dim'] = emptyDetectionMaps(2, ROWS, 4)['dim']!),
        /"dim" must be a Float32Array \[1, 3, 10, 20\]/,
      ],
      [
        'NaN in the heatmap',
        (maps) => maps['heatmap']!.data.fill(NaN, 33),
        /"heatmap" is not a number at index 33/,
      ],
      ['an infinite size', (maps) => maps['dim']!.data.fill(Infinity), /"dim" is Infinity at a peak/],
    ];
    for (const [what, spoil, message] of malformed) {
      it(what, () => {
        const maps = mapsWith([{ row: 1, column: 1, score: 0.5 }]);
        spoil(maps);
        assert.throws(
          () => decoder().decode(engineOutput(maps)),
          (error) => {
            assert.ok(error instanceof BdcError);
            assert.equal(error.code, 'MODEL_OUTPUT_INVALID');
            assert.match(error.message, message);
            return true;
          },
        );
      });
    }
  });
});
