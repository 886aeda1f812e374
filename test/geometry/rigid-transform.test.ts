import assert from 'node:assert/strict';

import { RigidTransform } from '../../src/geometry/rigid-transform.js';
import type { Matrix3, Quaternion, Vector3 } from '../../src/geometry/rigid-transform.js';

function assertClose(actual: readonly number[], expected: readonly number[], tolerance = 1e-12): void {
  assert.equal(actual.length, expected.length);
  actual.forEach((value, i) =>
    assert.ok(
      Math.abs(value - expected[i]!) <= tolerance,
      `[${actual.join(', ')}] is not [${expected.join(', ')}]`,
    ),
  );
}

describe('RigidTransform', () => {
  it('turns +x to +y by a yaw of 90°, then moves', () => {
    const transform = RigidTransform.fromYaw(Math.PI / 2, [1, 2, 3]);
    assertClose(transform.apply([2, 0, 0]), [1, 4, 3]);
    assertClose(transform.rotate([2, 0, 0]), [0, 2, 0]);
  });

  it('composes so that the right one comes first', () => {
    const a = RigidTransform.fromYaw(0.3, [1, 0, 2]);
    const b = new RigidTransform([0.1, -0.2, 0.3, 0.9], [0, 5, -1]);
    const point: Vector3 = [0.4, -2, 7];
    assertClose(a.compose(b).apply(point), a.apply(b.apply(point)));
  });

  it('undoes itself by its inverse', () => {
    const a = new RigidTransform([0.1, -0.2, 0.3, 0.9], [4, 5, -1]);
    assertClose(a.inverse().apply(a.apply([3, 2, 1])), [3, 2, 1]);
  });

  it('comes back from its matrix for rotations about each axis by 180° and for a general one', () => {
    const rotations: readonly Quaternion[] = [
      [1, 0, 0, 0],
      [0, 1, 0, 0],
      [0, 0, 1, 0],
      [0, 0, 0, 1],
      [0.1, -0.2, 0.3, 0.9],
      [0.7, -0.6, 0.3, -0.1],
    ];
    for (const rotation of rotations) {
      const transform = new RigidTransform(rotation, [1, 2, 3]);
      const again = RigidTransform.fromMatrix(transform.matrix, transform.translation);
      assertClose(again.matrix, transform.matrix);
    }
  });

  it('makes a rotation of a matrix that is one only up to float32 rounding', () => {
    const rounded = new RigidTransform([0.5, -0.5, 0.5, 0.4], [0, 0, 0]).matrix.map(Math.fround);
    const { rotation } = RigidTransform.fromMatrix(rounded as unknown as Matrix3, [0, 0, 0]);
    assertClose([Math.hypot(...rotation)], [1]);
  });

  it('interpolates half way: the line of the positions and half of the angle', () => {
    const from = RigidTransform.fromYaw(0.2, [0, 0, 0]);
    const half = from.interpolate(RigidTransform.fromYaw(1.0, [2, 4, 6]), 0.5);
    assertClose(half.translation, [1, 2, 3]);
    assertClose(half.matrix, RigidTransform.fromYaw(0.6, [0, 0, 0]).matrix);
  });

  it('interpolates on the shorter arc when the quaternions have opposite signs', () => {
    const from = RigidTransform.fromYaw(0.2, [0, 0, 0]);
    const [x, y, z, w] = RigidTransform.fromYaw(0.4, [0, 0, 0]).rotation;
    const half = from.interpolate(new RigidTransform([-x, -y, -z, -w], [0, 0, 0]), 0.5);
    assertClose(half.matrix, RigidTransform.fromYaw(0.3, [0, 0, 0]).matrix);
  });

  it('interpolates between nearly equal rotations', () => {
    const from = RigidTransform.fromYaw(0.2, [0, 0, 0]);
    assertClose(
      from.interpolate(RigidTransform.fromYaw(0.2 + 1e-7, [0, 0, 0]), 0.25).matrix,
      RigidTransform.fromYaw(0.2 + 0.25e-7, [0, 0, 0]).matrix,
      1e-15,
    );
  });

  it('refuses a zero quaternion and numbers that are not finite', () => {
    assert.throws(() => new RigidTransform([0, 0, 0, 0], [0, 0, 0]), RangeError);
    assert.throws(() => new RigidTransform([0, 0, NaN, 1], [0, 0, 0]), RangeError);
    assert.throws(() => new RigidTransform([0, 0, 0, 1], [0, Infinity, 0]), RangeError);
  });
});
