import assert from 'node:assert/strict';

import sinon from 'sinon';

import { RigidTransform } from '../../src/geometry/rigid-transform.js';
import { CameraIntake, type RiggedFrame } from '../../src/perception/camera-intake.js';
import { OdometryMotion } from '../../src/perception/ego-motion.js';
import type { CameraImage } from '../../src/perception/types.js';

const MS = 1_000_000n;
const K = [500, 0, 320, 0, 500, 240, 0, 0, 1];
const info = { width: 640, height: 480, distortion_model: 'plumb_bob', d: [0, 0, 0, 0, 0], k: K };
const image = (stamp: bigint): CameraImage => ({ kind: 'compressed', stamp, data: new Uint8Array([1]) });

const TWO_CAMERAS = { cameras: ['front', 'left'], anchor: 'front', baseFrame: 'base_link', maxSpreadMs: 50 };

describe('CameraIntake', () => {
  let frames: RiggedFrame[];
  let intake: CameraIntake;

  beforeEach(() => {
    frames = [];
    intake = new CameraIntake({
      ...TWO_CAMERAS,
      maxWaitMs: Infinity,
      onFrame: (frame) => frames.push(frame),
    });
  });

  const calibrate = (...cameras: string[]): void =>
    cameras.forEach((camera) => intake.addCameraInfo(camera, `${camera}_optical`, info));

  function mount(camera: string, { x = 0, stamp = 0n, isStatic = true } = {}): void {
    const transform = new RigidTransform([0, 0, 0, 1], [x, 0, 0]);
    intake.addTransform({ parent: 'base_link', child: `${camera}_optical`, stamp, transform }, { isStatic });
  }

  function shoot(stamp: bigint): void {
    intake.addImage('front', image(stamp));
    intake.addImage('left', image(stamp));
  }

  it('gives out frames with one and the same rig while nothing changes', () => {
    calibrate('front', 'left');
    mount('front');
    mount('left', { x: 1 });
    shoot(100n * MS);
    calibrate('front', 'left');
    mount('left', { x: 1.0005 });
    shoot(200n * MS);
    assert.equal(frames.length, 2);
    assert.deepEqual(
      frames[0]!.rig.cameras.map(({ name }) => name),
      ['front', 'left'],
    );
    assert.equal(frames[0]!.rig.baseFrame, 'base_link');
    assert.equal(frames[1]!.rig, frames[0]!.rig);
  });

  it('makes a new rig when a camera was moved or calibrated anew', () => {
    calibrate('front', 'left');
    mount('front');
    mount('left');
    shoot(100n * MS);
    mount('left', { x: 0.2 });
    shoot(200n * MS);
    intake.addCameraInfo('left', 'left_optical', { ...info, k: [510, 0, 320, 0, 510, 240, 0, 0, 1] });
    shoot(300n * MS);
    const [first, moved, calibrated] = frames.map(({ rig }) => rig);
    assert.notEqual(first, moved);
    assert.equal(moved!.cameras[1]!.baseFromCamera.translation[0], 0.2);
    assert.notEqual(moved, calibrated);
  });

  it('leaves out a camera without calibration, says why, and takes it in when it comes', () => {
    calibrate('front');
    mount('front');
    mount('left');
    shoot(100n * MS);
    calibrate('left');
    shoot(200n * MS);
    assert.deepEqual(
      frames.map(({ rig, frame }) => [rig.cameras.length, frame.images.length]),
      [
        [1, 1],
        [2, 2],
      ],
    );
    assert.deepEqual(
      intake.statistics.faults.map(({ code, camera, count }) => [code, camera, count]),
      [['CAMERA_INFO_MISSING', 'left', 1]],
    );
  });

  it('counts a calibration of zeros and of NaN, and goes on without that camera', () => {
    calibrate('front');
    mount('front');
    mount('left');
    intake.addCameraInfo('left', 'left_optical', { ...info, k: new Array<number>(9).fill(0) });
    shoot(100n * MS);
    intake.addCameraInfo('left', 'left_optical', { ...info, k: K.with(0, NaN) });
    shoot(200n * MS);
    assert.equal(frames.length, 2);
    assert.deepEqual(
      intake.statistics.faults.map(({ code, camera }) => [code, camera]),
      [
        ['CAMERA_NOT_CALIBRATED', 'left'],
        ['CAMERA_INFO_INVALID', 'left'],
      ],
    );
  });

  it('keeps a frame for which no transform came, and gives it out when one comes', () => {
    calibrate('front', 'left');
    shoot(100n * MS);
    assert.equal(frames.length, 0);
    mount('front');
    assert.equal(frames.length, 1);
  });

  it('drops and counts frames whose transforms never came', () => {
    calibrate('front', 'left');
    shoot(100n * MS);
    shoot(200n * MS);
    intake.flush();
    assert.equal(frames.length, 0);
    assert.equal(intake.statistics.droppedFrames, 2);
    const [front] = intake.statistics.faults;
    assert.deepEqual([front!.code, front!.camera, front!.count], ['TRANSFORM_MISSING', 'front', 2]);
  });

  it('waits for the transform on both sides of a stamp where a camera moves', () => {
    calibrate('front', 'left');
    mount('left');
    mount('front', { x: 0, stamp: 0n, isStatic: false });
    shoot(100n * MS);
    assert.equal(frames.length, 0);
    mount('front', { x: 2, stamp: 200n * MS, isStatic: false });
    assert.equal(frames.length, 1);
    assert.equal(frames[0]!.rig.cameras[0]!.baseFromCamera.translation[0], 1);
  });

  it('gives out the last frame at the end, with the cameras it has', () => {
    calibrate('front', 'left');
    mount('front');
    mount('left');
    intake.addImage('front', image(100n * MS));
    assert.equal(frames.length, 0);
    intake.flush();
    assert.deepEqual(
      frames.map(({ frame }) => frame.images.map((each) => each !== undefined)),
      [[true, false]],
    );
  });

  it('keeps calibration and static transforms when time jumps back', () => {
    calibrate('front', 'left');
    mount('front');
    mount('left');
    shoot(5_000n * MS);
    shoot(100n * MS);
    assert.equal(frames.length, 2);
    assert.equal(frames[1]!.rig, frames[0]!.rig);
  });

  it('keeps everything when one image has a bad stamp, and counts that', () => {
    calibrate('front', 'left');
    mount('front');
    for (const stamp of [4_900n, 5_300n]) mount('left', { stamp: stamp * MS, isStatic: false });
    shoot(5_000n * MS);
    intake.addImage('left', image(0n));
    for (const stamp of [5_100n, 5_200n]) shoot(stamp * MS);
    assert.deepEqual(
      frames.map(({ rig }) => rig.cameras.length),
      [2, 2, 2],
    );
    assert.deepEqual(
      intake.statistics.faults.map(({ code, camera, count }) => [code, camera, count]),
      [['CAMERA_STAMP_BACK', 'left', 1]],
    );
  });

  describe('that waits for poses for as long as it takes', () => {
    let motion: OdometryMotion;

    beforeEach(() => {
      motion = new OdometryMotion('base_link', 10_000n * MS);
      intake = new CameraIntake({
        ...TWO_CAMERAS,
        maxWaitMs: Infinity,
        egoMotion: motion,
        onFrame: (frame) => frames.push(frame),
      });
      calibrate('front', 'left');
      mount('front');
      mount('left');
    });

    const poseAt = (stamp: bigint): void => {
      const transform = new RigidTransform([0, 0, 0, 1], [Number(stamp / MS), 0, 0]);
      motion.add({ parent: 'odom', child: 'base_link', stamp, transform });
      intake.poseArrived();
    };

    it('keeps a frame until odometry of its time comes', () => {
      poseAt(0n);
      shoot(100n * MS);
      assert.equal(frames.length, 0);
      poseAt(200n * MS);
      assert.deepEqual(frames[0]!.frame.egoPose!.worldFromBase.translation, [100, 0, 0]);
    });

    it('gives it out without one when the next frame comes, and counts it', () => {
      poseAt(0n);
      shoot(100n * MS);
      shoot(200n * MS);
      assert.deepEqual(
        frames.map(({ frame }) => [frame.stamp, frame.egoPose]),
        [[100n * MS, undefined]],
      );
      assert.equal(intake.statistics.framesWithoutPose, 1);
    });
  });

  describe('with a camera that moves on the robot', () => {
    const MAX_WAIT_MS = 60;
    let clock: sinon.SinonFakeTimers;

    beforeEach(() => {
      clock = sinon.useFakeTimers();
      intakeThatWaits(MAX_WAIT_MS);
    });

    afterEach(() => clock.restore());

    function intakeThatWaits(maxWaitMs: number): void {
      intake = new CameraIntake({ ...TWO_CAMERAS, maxWaitMs, onFrame: (frame) => frames.push(frame) });
      calibrate('front', 'left');
      mount('front');
      mount('left', { stamp: 50n * MS, isStatic: false });
    }
    const camerasOf = ({ rig }: RiggedFrame): readonly string[] => rig.cameras.map(({ name }) => name);

    it('a frame waits for its transform', () => {
      shoot(100n * MS);
      clock.tick(MAX_WAIT_MS - 1);
      assert.equal(frames.length, 0);
      mount('left', { stamp: 110n * MS, isStatic: false });
      assert.deepEqual(frames.map(camerasOf), [['front', 'left']]);
    });

    it('a frame waits no longer than for late cameras, then goes on without that camera', () => {
      for (const stamp of [100n, 200n, 300n]) {
        shoot(stamp * MS);
        clock.tick(MAX_WAIT_MS);
      }
      assert.deepEqual(frames.map(camerasOf), [['front'], ['front'], ['front']]);
      const [fault] = intake.statistics.faults;
      assert.deepEqual([fault!.code, fault!.camera, fault!.count], ['TRANSFORM_OUT_OF_TIME', 'left', 3]);
    });

    it('a frame does not wait at all where frames do not wait for late cameras', () => {
      intakeThatWaits(0);
      shoot(100n * MS);
      assert.deepEqual(frames.map(camerasOf), [['front']]);
    });

    it('a frame does not wait for what can never come: a transform before the oldest one', () => {
      shoot(40n * MS);
      assert.deepEqual(frames.map(camerasOf), [['front']]);
      assert.equal(intake.statistics.faults[0]!.code, 'TRANSFORM_BEFORE_HISTORY');
    });

    it('a frame none of whose cameras has a transform waits for the next frame', () => {
      mount('front', { stamp: 50n * MS, isStatic: false });
      shoot(100n * MS);
      clock.tick(10 * MAX_WAIT_MS);
      assert.equal(frames.length, 0);
      mount('front', { stamp: 110n * MS, isStatic: false });
      clock.tick(MAX_WAIT_MS);
      assert.deepEqual(frames.map(camerasOf), [['front']]);
    });
  });

  it('counts a transform that cannot be one', () => {
    intake.addTransform(
      { parent: 'a', child: 'a', stamp: 0n, transform: RigidTransform.identity },
      { isStatic: true },
    );
    assert.equal(intake.statistics.faults[0]!.code, 'TRANSFORM_INVALID');
  });

  describe('with a source of ego motion', () => {
    const MAX_WAIT_MS = 60;
    let clock: sinon.SinonFakeTimers;
    let motion: OdometryMotion;

    beforeEach(() => {
      clock = sinon.useFakeTimers();
      motion = new OdometryMotion('base_link', 10_000n * MS);
      intake = new CameraIntake({
        ...TWO_CAMERAS,
        maxWaitMs: MAX_WAIT_MS,
        egoMotion: motion,
        onFrame: (frame) => frames.push(frame),
      });
      calibrate('front', 'left');
      mount('front');
      mount('left', { x: 1 });
    });

    afterEach(() => clock.restore());

    const drive = (stamp: bigint, x: number): void => {
      const transform = new RigidTransform([0, 0, 0, 1], [x, 0, 0]);
      motion.add({ parent: 'odom', child: 'base_link', stamp, transform });
      intake.poseArrived();
    };

    it('a frame waits for the pose on both sides of its stamp', () => {
      drive(90n * MS, 0);
      shoot(100n * MS);
      clock.tick(MAX_WAIT_MS - 1);
      assert.equal(frames.length, 0);
      drive(110n * MS, 2);
      assert.deepEqual(frames[0]!.frame.egoPose!.worldFromBase.translation, [1, 0, 0]);
      clock.tick(MAX_WAIT_MS);
      assert.equal(frames.length, 1);
    });

    it('goes on without, and counts it, where none comes for as long as frames wait for cameras', () => {
      drive(90n * MS, 0);
      shoot(100n * MS);
      clock.tick(MAX_WAIT_MS);
      assert.equal(frames[0]!.frame.egoPose, undefined);
      assert.equal(intake.statistics.framesWithoutPose, 1);
      shoot(200n * MS);
      drive(210n * MS, 2);
      assert.equal(frames.length, 2);
      assert.ok(frames[1]!.frame.egoPose);
    });

    it('does not wait for a source that never said anything', () => {
      shoot(100n * MS);
      assert.equal(frames.length, 1);
      assert.equal(intake.statistics.framesWithoutPose, 1);
    });
  });
});
