import assert from 'node:assert/strict';

import { BdcError } from '../../src/errors.js';
import { RigidTransform } from '../../src/geometry/rigid-transform.js';
import { TransformBuffer } from '../../src/geometry/transform-buffer.js';

const at = (x: number): RigidTransform => new RigidTransform([0, 0, 0, 1], [x, 0, 0]);
const seconds = (s: number): bigint => BigInt(Math.round(s * 1e9));

const fails = (code: string, ...words: readonly RegExp[]): ((error: unknown) => true) => {
  return (error) => {
    assert.ok(error instanceof BdcError);
    assert.equal(error.code, code);
    for (const word of words) assert.match(error.message, word);
    return true;
  };
};

describe('TransformBuffer', () => {
  let buffer: TransformBuffer;

  beforeEach(() => {
    buffer = new TransformBuffer();
    buffer.setStatic({ parent: 'base_link', child: 'mast', stamp: 0n, transform: at(1) });
    buffer.setStatic({
      parent: 'mast',
      child: 'camera',
      stamp: 0n,
      transform: RigidTransform.fromYaw(Math.PI / 2, [0, 0, 2]),
    });
    buffer.setStatic({ parent: 'base_link', child: 'lidar', stamp: 0n, transform: at(-1) });
    for (const s of [10, 11, 12]) {
      buffer.setDynamic({
        parent: 'odom',
        child: 'base_link',
        stamp: seconds(s),
        transform: at((s - 10) ** 2),
      });
    }
  });

  it('chains transforms up the tree', () => {
    const [x, y, z] = buffer.lookup('base_link', 'camera', 5n).apply([3, 0, 0]);
    assert.ok(Math.hypot(x - 1, y - 3, z - 2) < 1e-12);
  });

  it('looks up across the tree and down it', () => {
    const [x, y, z] = buffer.lookup('lidar', 'camera', 5n).apply([0, 0, 0]);
    assert.deepEqual([x, y, z], [2, 0, 2]);
    assert.deepEqual(buffer.lookup('mast', 'base_link', 5n).translation, [-1, 0, 0]);
  });

  it('gives the identity from a frame to itself', () => {
    assert.deepEqual(buffer.lookup('mast', 'mast', 5n), RigidTransform.identity);
  });

  it('interpolates between the samples around a stamp', () => {
    assert.deepEqual(buffer.lookup('odom', 'base_link', seconds(11.25)).translation, [1.75, 0, 0]);
    assert.deepEqual(buffer.lookup('odom', 'base_link', seconds(12)).translation, [4, 0, 0]);
  });

  it('takes samples in any order, and the last one of equal stamps', () => {
    buffer.setDynamic({ parent: 'odom', child: 'base_link', stamp: seconds(11.5), transform: at(100) });
    buffer.setDynamic({ parent: 'odom', child: 'base_link', stamp: seconds(11.5), transform: at(2) });
    assert.deepEqual(buffer.lookup('odom', 'base_link', seconds(11.5)).translation, [2, 0, 0]);
  });

  it('treats a leading slash as no part of the name', () => {
    assert.deepEqual(buffer.lookup('/base_link', '/mast', 0n).translation, [1, 0, 0]);
  });

  it('says by how much a stamp comes too late or too early, and of which frames', () => {
    assert.throws(
      () => buffer.lookup('odom', 'camera', seconds(12.5)),
      fails(
        'TRANSFORM_OUT_OF_TIME',
        /"camera" to "odom"/,
        /0\.500 s after the newest/,
        /"base_link" in "odom"/,
      ),
    );
    assert.throws(
      () => buffer.lookup('odom', 'camera', seconds(8)),
      fails('TRANSFORM_BEFORE_HISTORY', /2\.000 s before the oldest/),
    );
  });

  it('names a frame that nothing is known about, and the two trees of frames that are not joined', () => {
    assert.throws(
      () => buffer.lookup('base_link', 'radar', 0n),
      fails('TRANSFORM_MISSING', /"radar" to "base_link"/, /nothing was received about "radar"/),
    );
    buffer.setStatic({ parent: 'map', child: 'door', stamp: 0n, transform: at(0) });
    assert.throws(
      () => buffer.lookup('camera', 'door', 0n),
      fails('TRANSFORM_MISSING', /"door" belongs to the tree of "map"/),
    );
  });

  it('reports a loop', () => {
    buffer.setStatic({ parent: 'camera', child: 'odom', stamp: 0n, transform: at(0) });
    assert.throws(() => buffer.lookup('lidar', 'camera', 0n), fails('TRANSFORM_MISSING', /loop/));
  });

  it('keeps a bounded history', () => {
    const short = new TransformBuffer({ historyNs: seconds(1) });
    for (let s = 0; s < 10; s += 0.25) {
      short.setDynamic({ parent: 'odom', child: 'base_link', stamp: seconds(s), transform: at(s) });
    }
    assert.deepEqual(short.lookup('odom', 'base_link', seconds(8.75)).translation, [8.75, 0, 0]);
    assert.throws(() => short.lookup('odom', 'base_link', seconds(8.7)), fails('TRANSFORM_BEFORE_HISTORY'));
    short.setDynamic({ parent: 'odom', child: 'base_link', stamp: seconds(1), transform: at(1) });
    assert.throws(() => short.lookup('odom', 'base_link', seconds(1)), fails('TRANSFORM_BEFORE_HISTORY'));
  });

  it('forgets the old parent of a frame that gets a new one', () => {
    buffer.setStatic({ parent: 'lidar', child: 'mast', stamp: 0n, transform: at(5) });
    assert.deepEqual(buffer.lookup('base_link', 'mast', 0n).translation, [4, 0, 0]);
  });

  it('forgets what moves after clear(), and keeps what is static', () => {
    buffer.clear();
    assert.throws(() => buffer.lookup('odom', 'base_link', seconds(11)), fails('TRANSFORM_MISSING'));
    assert.deepEqual(buffer.lookup('base_link', 'mast', 0n).translation, [1, 0, 0]);
  });

  it('refuses a frame without a name and one that is its own parent', () => {
    for (const [parent, child] of [
      ['', 'a'],
      ['a', ''],
      ['a', '/a'],
    ] as const) {
      assert.throws(
        () => buffer.setStatic({ parent, child, stamp: 0n, transform: at(0) }),
        fails('TRANSFORM_INVALID'),
      );
    }
  });
});
