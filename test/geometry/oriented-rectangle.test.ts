import assert from 'node:assert/strict';

import { rectangleCorners, rectangleIou } from '../../src/geometry/oriented-rectangle.js';
import type { OrientedRectangle } from '../../src/geometry/oriented-rectangle.js';

const rectangle = (x: number, y: number, length: number, width: number, yaw = 0): OrientedRectangle => ({
  center: [x, y],
  length,
  width,
  yaw,
});

describe('rectangleCorners', () => {
  it('goes counter-clockwise from the front left', () => {
    assert.deepEqual(rectangleCorners(rectangle(1, 2, 4, 2)), [
      [3, 3],
      [-1, 3],
      [-1, 1],
      [3, 1],
    ]);
    const [frontLeft] = rectangleCorners(rectangle(0, 0, 4, 2, Math.PI / 2));
    assert.ok(Math.hypot(frontLeft[0] + 1, frontLeft[1] - 2) < 1e-12);
  });
});

describe('rectangleIou', () => {
  const cases: readonly [string, OrientedRectangle, OrientedRectangle, number][] = [
    ['equal rectangles', rectangle(3, 4, 4, 2, 0.7), rectangle(3, 4, 4, 2, 0.7), 1],
    [
      'the same rectangle turned by 180°',
      rectangle(0, 0, 4, 2, 0.2),
      rectangle(0, 0, 4, 2, 0.2 + Math.PI),
      1,
    ],
    ['rectangles that share half of their length', rectangle(0, 0, 4, 2), rectangle(2, 0, 4, 2), 4 / 12],
    ['a cross: 2 × 2 of 4 × 2 each', rectangle(0, 0, 4, 2), rectangle(0, 0, 4, 2, Math.PI / 2), 4 / 12],
    // A regular octagon of inradius 1: area 8 tan(π / 8).
    [
      'a square and itself turned by 45°',
      rectangle(0, 0, 2, 2),
      rectangle(0, 0, 2, 2, Math.PI / 4),
      (8 * Math.tan(Math.PI / 8)) / (8 - 8 * Math.tan(Math.PI / 8)),
    ],
    ['one inside of the other', rectangle(0, 0, 4, 4), rectangle(0.5, -0.5, 1, 1, 0.3), 1 / 16],
    ['rectangles that touch', rectangle(0, 0, 2, 2), rectangle(2, 0, 2, 2), 0],
    ['rectangles far apart', rectangle(0, 0, 2, 2), rectangle(20, 0, 2, 2, 1), 0],
    ['circles that meet but rectangles that do not', rectangle(0, 0, 4, 0.2), rectangle(0, 1, 4, 0.2), 0],
    // The corner at (2 − √2, 0) reaches √2 − 1 deep behind x = 1, as a triangle of twice that width.
    [
      'a square and the corner of a turned one',
      rectangle(0, 0, 2, 2),
      rectangle(2, 0, 2, 2, Math.PI / 4),
      (Math.SQRT2 - 1) ** 2 / (8 - (Math.SQRT2 - 1) ** 2),
    ],
    ['rectangles without area', rectangle(0, 0, 0, 0), rectangle(0, 0, 0, 0), 0],
  ];
  for (const [what, a, b, expected] of cases) {
    it(`of ${what} is ${expected.toFixed(3)}, either way round`, () => {
      assert.ok(Math.abs(rectangleIou(a, b) - expected) < 1e-9, `${rectangleIou(a, b)}`);
      assert.ok(Math.abs(rectangleIou(b, a) - expected) < 1e-9, `${rectangleIou(b, a)}`);
    });
  }
});
