import assert from 'node:assert/strict';
import { RigidTransform } from '../../src/geometry/rigid-transform.js';
import { TransformBuffer } from '../../src/geometry/transform-buffer.js';
import { CameraIntake, type RiggedFrame } from '../../src/perception/camera-intake.js';
import { OdometryMotion, TransformMotion } from '../../src/perception/ego-motion.js';

const S = 1_000_000_000n;
const pose = (stamp: bigint, x: number, child = 'base_link') => ({
  parent: 'odom',
  child,
  stamp,
  transform: new RigidTransform([0, 0, 0, 1], [x, 0, 0]),
});

describe('ego motion', () => {
  it('of odometry is interpolated, in the frame that it names', () => {
    const motion = new OdometryMotion('base_link', 10n * S);
    motion.add(pose(1n * S, 0));
    motion.add(pose(2n * S, 4));
    const { frameId, worldFromBase } = motion.poseAt(S + S / 4n);
    assert.equal(frameId, 'odom');
    assert.deepEqual(worldFromBase.translation, [1, 0, 0]);
  });

  it('of odometry is bounded in time and forgotten on request', () => {
    const motion = new OdometryMotion('base_link', S);
    for (const second of [1n, 2n, 3n]) motion.add(pose(second * S, 0));
    assert.throws(() => motion.poseAt(S + S / 2n), { code: 'TRANSFORM_BEFORE_HISTORY' });
    motion.clear();
    assert.throws(() => motion.poseAt(3n * S), { code: 'TRANSFORM_MISSING' });
  });

  it('of odometry refuses another frame, and says that nothing came', () => {
    const motion = new OdometryMotion('base_link', S);
    assert.throws(() => motion.poseAt(S), { code: 'ODOMETRY_MISSING' });
    assert.throws(() => motion.add(pose(S, 0, 'wheel')), { code: 'ODOMETRY_FRAME', message: /"wheel"/ });
    motion.add(pose(S, 2, '/base_link'));
    assert.deepEqual(motion.poseAt(S).worldFromBase.translation, [2, 0, 0]);
  });

  it('of the tree of frames is looked up there', () => {
    const transforms = new TransformBuffer();
    transforms.setDynamic(pose(S, 1));
    transforms.setDynamic(pose(2n * S, 3));
    const motion = new TransformMotion(transforms, { odom: 'odom', base: 'base_link' });
    assert.deepEqual(motion.poseAt(S + S / 2n).worldFromBase.translation, [2, 0, 0]);
  });

  it('goes with each frame that the intake gives out; a frame without it goes out and is counted', () => {
    const frames: RiggedFrame[] = [];
    const egoMotion = new OdometryMotion('base_link', 10n * S);
    const intake = new CameraIntake({
      cameras: ['front'],
      anchor: 'front',
      baseFrame: 'base_link',
      maxSpreadMs: 0,
      maxWaitMs: 0,
      egoMotion,
      onFrame: (frame) => frames.push(frame),
    });
    const k = [500, 0, 320, 0, 500, 240, 0, 0, 1];
    intake.addCameraInfo('front', 'optical', { width: 640, height: 480, distortion_model: '', d: [], k });
    const mount = { parent: 'base_link', child: 'optical', stamp: 0n, transform: RigidTransform.identity };
    intake.addTransform(mount, { isStatic: true });
    egoMotion.add(pose(1n * S, 0));
    egoMotion.add(pose(2n * S, 4));
    for (const stamp of [S + S / 2n, 3n * S]) {
      intake.addImage('front', { kind: 'compressed', stamp, data: new Uint8Array() });
    }
    assert.deepEqual(
      frames.map(({ frame }) => frame.egoPose?.worldFromBase.translation),
      [[2, 0, 0], undefined],
    );
    assert.equal(intake.statistics.framesWithoutPose, 1);
  });
});
