import assert from 'node:assert/strict';

import sinon from 'sinon';

import { CameraSynchronizer } from '../../src/perception/camera-synchronizer.js';
import type { CameraFrame, CameraImage } from '../../src/perception/types.js';

const CAMERAS = ['front', 'left', 'right'];
const milliseconds = (ms: number): bigint => BigInt(ms) * 1_000_000n;
const image = (ms: number): CameraImage => ({
  kind: 'compressed',
  stamp: milliseconds(ms),
  data: new Uint8Array(),
});
const stampsOf = (frame: CameraFrame | undefined): readonly (number | undefined)[] | undefined =>
  frame?.images.map((entry) => (entry === undefined ? undefined : Number(entry.stamp / 1_000_000n)));

describe('CameraSynchronizer', () => {
  let clock: sinon.SinonFakeTimers;
  let frames: CameraFrame[];
  let timeJumps: number;
  let badStamps: string[];
  let synchronizer: CameraSynchronizer;

  beforeEach(() => {
    clock = sinon.useFakeTimers();
    frames = [];
    timeJumps = 0;
    badStamps = [];
    synchronizer = new CameraSynchronizer({
      cameras: CAMERAS,
      anchor: 'front',
      maxSpreadMs: 40,
      maxWaitMs: 50,
      onFrame: (frame) => frames.push(frame),
      onTimeJump: () => timeJumps++,
      onBadStamp: (camera, { code, message }) => badStamps.push(`${camera} ${code} ${message}`),
    });
  });

  afterEach(() => clock.restore());

  it('gives out a frame at once when all cameras have an image, with the stamp of the anchor', () => {
    synchronizer.add('left', image(990));
    synchronizer.add('front', image(1000));
    assert.equal(frames.length, 0);
    synchronizer.add('right', image(1030));
    assert.deepEqual(frames.map(stampsOf), [[1000, 990, 1030]]);
    assert.equal(frames[0]!.stamp, milliseconds(1000));
  });

  it('takes the image nearest to the anchor', () => {
    synchronizer.add('left', image(970));
    synchronizer.add('left', image(1010));
    synchronizer.add('right', image(1000));
    synchronizer.add('front', image(1000));
    assert.deepEqual(stampsOf(frames[0]), [1000, 1010, 1000]);
    assert.equal(synchronizer.statistics.cameras['left']!.replaced, 1);
  });

  it('keeps an image after the chosen one for the next frame', () => {
    synchronizer.add('left', image(1000));
    synchronizer.add('left', image(1100));
    synchronizer.add('right', image(1000));
    synchronizer.add('front', image(1000));
    synchronizer.add('right', image(1100));
    synchronizer.add('front', image(1100));
    assert.deepEqual(frames.map(stampsOf), [
      [1000, 1000, 1000],
      [1100, 1100, 1100],
    ]);
  });

  it('waits for a late camera no longer than it may, then counts it as missing', () => {
    synchronizer.add('front', image(1000));
    synchronizer.add('left', image(1000));
    clock.tick(49);
    assert.equal(frames.length, 0);
    clock.tick(1);
    assert.deepEqual(frames.map(stampsOf), [[1000, 1000, undefined]]);
    assert.equal(synchronizer.statistics.cameras['right']!.missing, 1);
  });

  it('counts an image that comes after its frame as late and does not use it', () => {
    synchronizer.add('front', image(1000));
    synchronizer.add('left', image(1000));
    clock.tick(50);
    synchronizer.add('right', image(1000));
    assert.equal(synchronizer.statistics.cameras['right']!.late, 1);
    synchronizer.add('front', image(1030));
    synchronizer.add('left', image(1030));
    clock.tick(50);
    assert.deepEqual(stampsOf(frames[1]), [1030, 1030, undefined]);
  });

  it('leaves out an image beyond the spread, and does not wait for a camera that is past the frame', () => {
    synchronizer.add('left', image(1000));
    synchronizer.add('right', image(1041));
    synchronizer.add('front', image(1000));
    assert.deepEqual(frames.map(stampsOf), [[1000, 1000, undefined]]);
  });

  it('gives out what it has when the next anchor image comes first', () => {
    synchronizer.add('front', image(1000));
    synchronizer.add('left', image(1000));
    synchronizer.add('front', image(1100));
    assert.deepEqual(frames.map(stampsOf), [[1000, 1000, undefined]]);
  });

  it('stops waiting for a dead camera, and waits again when it is back', () => {
    for (const ms of [1000, 1100, 1200]) {
      synchronizer.add('left', image(ms));
      synchronizer.add('front', image(ms));
      clock.tick(50);
    }
    assert.equal(frames.length, 3);
    synchronizer.add('left', image(1300));
    synchronizer.add('front', image(1300));
    assert.equal(frames.length, 4);
    synchronizer.add('right', image(1390));
    synchronizer.add('front', image(1400));
    assert.equal(frames.length, 4);
    synchronizer.add('left', image(1400));
    assert.deepEqual(stampsOf(frames[4]), [1400, 1400, 1390]);
  });

  it('holds at most two images of a camera when the anchor is silent', () => {
    for (let ms = 0; ms < 1000; ms += 100) synchronizer.add('left', image(ms));
    const { received, replaced } = synchronizer.statistics.cameras['left']!;
    assert.deepEqual({ received, replaced }, { received: 10, replaced: 8 });
    assert.equal(frames.length, 0);
  });

  it('drops an image that is older than the one before or the same again', () => {
    synchronizer.add('left', image(1000));
    synchronizer.add('left', image(990));
    synchronizer.add('left', image(1000));
    assert.equal(synchronizer.statistics.cameras['left']!.outOfOrder, 2);
  });

  it('clears everything when time jumps back for two cameras, and works on from there', () => {
    synchronizer.add('left', image(60_000));
    synchronizer.add('front', image(60_000));
    synchronizer.add('front', image(1000));
    assert.equal(timeJumps, 0);
    synchronizer.add('left', image(1000));
    assert.equal(timeJumps, 1);
    clock.tick(49);
    assert.equal(frames.length, 0);
    synchronizer.add('right', image(1000));
    assert.deepEqual(frames.map(stampsOf), [[1000, 1000, 1000]]);
    const { timeJumps: counted, cameras } = synchronizer.statistics;
    assert.deepEqual([counted, cameras['left']!.cleared, cameras['front']!.cleared], [1, 1, 1]);
    assert.deepEqual(badStamps, []);
  });

  it('takes it for a jump, too, when one camera goes on from where it went back to', () => {
    for (const ms of [60_000, 1000, 1100]) synchronizer.add('front', image(ms));
    assert.equal(timeJumps, 1);
    synchronizer.flush();
    assert.deepEqual(frames.map(stampsOf), [
      [1000, undefined, undefined],
      [1100, undefined, undefined],
    ]);
    assert.deepEqual(badStamps, []);
  });

  it('leaves out single images that are far behind, says so, and keeps everything else', () => {
    synchronizer.add('front', image(60_000));
    synchronizer.add('left', image(60_000));
    for (const ms of [0, 0]) synchronizer.add('left', image(ms));
    synchronizer.add('left', image(60_100));
    synchronizer.add('right', image(60_000));
    assert.deepEqual(frames.map(stampsOf), [[60_000, 60_000, 60_000]]);
    assert.equal(timeJumps, 0);
    const { outOfOrder, cleared } = synchronizer.statistics.cameras['left']!;
    assert.deepEqual({ outOfOrder, cleared }, { outOfOrder: 2, cleared: 0 });
    assert.equal(badStamps.length, 2);
    assert.match(
      badStamps[0]!,
      /^left CAMERA_STAMP_BACK camera left: expected a stamp near 60\.000 s, found 0\.000 s on a single image/,
    );
  });

  it('counts one that is the last image of all', () => {
    synchronizer.add('front', image(60_000));
    synchronizer.add('front', image(0));
    synchronizer.flush();
    assert.equal(synchronizer.statistics.cameras['front']!.outOfOrder, 1);
    assert.equal(badStamps.length, 1);
  });

  it('gives out nothing after clear()', () => {
    synchronizer.add('front', image(1000));
    synchronizer.clear();
    clock.tick(1000);
    assert.equal(frames.length, 0);
  });

  describe('after a clock jumped back', () => {
    let now: number;

    beforeEach(() => {
      synchronizer.add('front', image(900_000));
      now = 100_000;
      synchronizer.clear({ from: milliseconds(900_000), now: () => milliseconds(now) });
    });
    const clearedOf = (name: string): number => synchronizer.statistics.cameras[name]!.cleared;

    it('leaves out images of the time before that come afterwards', () => {
      synchronizer.add('front', image(900_900));
      synchronizer.add('left', image(899_000));
      for (const name of CAMERAS) synchronizer.add(name, image(100_000));
      assert.deepEqual(frames.map(stampsOf), [[100_000, 100_000, 100_000]]);
      assert.deepEqual(CAMERAS.map(clearedOf), [2, 1, 0]);
      assert.equal(synchronizer.statistics.timeJumps, 0);
    });

    it('takes those of a camera that starts only when the time before is reached again', () => {
      now = 899_000;
      for (const name of CAMERAS) synchronizer.add(name, image(899_100));
      now = 901_000;
      for (const name of CAMERAS) synchronizer.add(name, image(901_000));
      assert.deepEqual(frames.map(stampsOf), [
        [899_100, 899_100, 899_100],
        [901_000, 901_000, 901_000],
      ]);
    });

    it('takes those whose stamps have nothing to do with the clock', () => {
      for (const name of CAMERAS) synchronizer.add(name, image(5_000_000));
      assert.equal(frames.length, 1);
      assert.deepEqual(CAMERAS.map(clearedOf), [1, 0, 0]);
    });
  });

  describe('with a timeout', () => {
    beforeEach(() => {
      frames = [];
      synchronizer = new CameraSynchronizer({
        cameras: CAMERAS,
        anchor: 'front',
        maxSpreadMs: 40,
        maxWaitMs: 50,
        timeoutMs: 300,
        onFrame: (frame) => frames.push(frame),
      });
    });

    /** Images of these cameras at each tenth of a second of both clocks. */
    function shoot(from: number, to: number, ...cameras: readonly string[]): void {
      for (let ms = from; ms < to; ms += 100) {
        for (const camera of cameras) synchronizer.add(camera, image(ms));
        clock.tick(100);
      }
    }

    it('lets another camera stand in for a dead anchor until it is back', () => {
      shoot(1000, 1500, ...CAMERAS);
      const before = frames.length;
      shoot(1500, 2000, 'left', 'right');
      assert.equal(synchronizer.statistics.anchor, 'left');
      assert.equal(synchronizer.statistics.cameras['front']!.liveness, 'dead');
      const standIns = frames.slice(before).map(stampsOf);
      assert.ok(standIns.length >= 2);
      assert.ok(standIns.every((stamps) => stamps?.[0] === undefined && stamps?.[1] !== undefined));
      shoot(2000, 2200, ...CAMERAS);
      assert.equal(synchronizer.statistics.anchor, 'front');
      assert.deepEqual(stampsOf(frames.at(-1)), [2100, 2100, 2100]);
      const stamps = frames.map(({ stamp }) => stamp);
      assert.deepEqual(stamps, [...stamps].sort(), 'stamps never go back');
    });

    it('does not take a silence of all cameras for the death of the anchor', () => {
      shoot(1000, 1300, ...CAMERAS);
      const before = frames.length;
      clock.tick(5000);
      for (const camera of ['left', 'right', 'front']) synchronizer.add(camera, image(6000));
      assert.equal(synchronizer.statistics.anchor, 'front');
      assert.deepEqual(frames.slice(before).map(stampsOf), [[6000, 6000, 6000]]);
    });

    it('tells waiting, live and dead cameras apart', () => {
      shoot(1000, 1200, 'front');
      const stateOf = (camera: string) => synchronizer.statistics.cameras[camera]!.liveness;
      assert.deepEqual(CAMERAS.map(stateOf), ['live', 'waiting', 'waiting']);
      clock.tick(400);
      assert.deepEqual(CAMERAS.map(stateOf), ['dead', 'dead', 'dead']);
    });

    it('does not wait for a camera that lags, and tells by how much', () => {
      for (let ms = 1000; ms < 1600; ms += 100) {
        synchronizer.add('right', image(ms - 500));
        synchronizer.add('left', image(ms));
        synchronizer.add('front', image(ms));
        clock.tick(100);
      }
      const before = frames.length;
      synchronizer.add('left', image(1600));
      synchronizer.add('front', image(1600));
      assert.equal(frames.length, before + 1, 'at once');
      assert.ok(synchronizer.statistics.cameras['right']!.missedInARow >= 3);
      assert.equal(synchronizer.statistics.cameras['right']!.lagMs, 600);
      synchronizer.add('right', image(1610));
      assert.equal(synchronizer.statistics.cameras['right']!.missedInARow, 0);
    });
  });

  it('works with the anchor alone', () => {
    const alone = new CameraSynchronizer({
      cameras: ['front'],
      anchor: 'front',
      maxSpreadMs: 0,
      maxWaitMs: 0,
      onFrame: (frame) => frames.push(frame),
    });
    alone.add('front', image(5));
    assert.deepEqual(frames.map(stampsOf), [[5]]);
  });

  it('refuses a wrong anchor, a name twice, a negative time and an unknown camera', () => {
    const make = (changes: object): CameraSynchronizer =>
      new CameraSynchronizer({
        cameras: CAMERAS,
        anchor: 'front',
        maxSpreadMs: 1,
        maxWaitMs: 1,
        onFrame: () => undefined,
        ...changes,
      });
    assert.throws(() => make({ anchor: 'back' }), RangeError);
    assert.throws(() => make({ cameras: ['front', 'front'] }), RangeError);
    assert.throws(() => make({ maxWaitMs: -1 }), RangeError);
    assert.throws(() => make({ maxSpreadMs: NaN }), RangeError);
    assert.throws(() => make({ timeoutMs: -1 }), RangeError);
    assert.throws(() => synchronizer.add('back', image(0)), RangeError);
  });
});
