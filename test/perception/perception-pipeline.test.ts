import assert from 'node:assert/strict';

import { BdcError } from '../../src/errors.js';
import { PerceptionPipeline } from '../../src/perception/perception-pipeline.js';
import type { CameraRig } from '../../src/perception/types.js';
import { engineOutput, manifest } from './engine-output.js';
import { frameAt, grey, HeldEngine } from './held-engine.js';
import { cameraLooking, frontAndRear } from './rig.js';

const faultOf =
  (code: string, message = /./) =>
  (error: unknown): true => {
    assert.ok(error instanceof BdcError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  };

describe('PerceptionPipeline', () => {
  let engine: HeldEngine;
  let errors: [string, string][];
  let pipeline: PerceptionPipeline;

  beforeEach(async () => {
    engine = new HeldEngine();
    errors = [];
    pipeline = new PerceptionPipeline({
      engine,
      onImageError: (camera, error) => errors.push([camera, error.code]),
    });
    await pipeline.setRig(frontAndRear);
  });

  it('gives voxels, boxes and timings with stamp and frame of the input', async () => {
    const done = pipeline.process(frameAt(42n));
    await engine.finish();
    const result = await done;
    assert.equal(result.stamp, 42n);
    assert.equal(result.frameId, 'base_link');
    assert.deepEqual(result.liveCameras, [true, true]);
    assert.equal(result.occupancy!.labels.length, 24);
    assert.deepEqual(result.detections, []);
    const { preprocess, modules, decode, total } = result.timings;
    assert.deepEqual(modules, { image_encoder: 1, view_transformer: 2, bev_encoder: 3, heads: 4 });
    assert.ok(preprocess > 0 && decode > 0 && total >= preprocess + decode);
  });

  it('gives the engine RGB images of its input size, and rays of its feature size', async () => {
    const done = pipeline.process(frameAt(1n));
    await engine.finish();
    await done;
    assert.deepEqual([...engine.inputs[0]![1]!], new Array(8 * 6 * 3).fill(100));
    assert.equal(engine.rigs[0]!.cameras, 2);
    assert.equal(engine.rigs[0]!.rays.length, 2 * 1 * 2 * 3);
  });

  it('has no boxes without a detection head, and no voxels without an occupancy head', async () => {
    const { occupancy, detection, ...rest } = manifest;
    for (const head of [{ occupancy }, { detection }]) {
      const other = new HeldEngine();
      Object.assign(other, { manifest: { ...rest, ...head } });
      const headed = new PerceptionPipeline({ engine: other });
      await headed.setRig(frontAndRear);
      const done = headed.process(frameAt(1n));
      await other.finish();
      const result = await done;
      assert.equal('occupancy' in result, 'occupancy' in head);
      assert.equal('detections' in result, 'detection' in head);
    }
  });

  it('observes only what live cameras look at', async () => {
    const both = pipeline.process(frameAt(1n));
    await engine.finish();
    const frontOnly = pipeline.process({ stamp: 2n, images: [grey(2n), undefined] });
    await engine.finish();
    const observedBy = async (done: typeof both): Promise<Uint8Array> => (await done).occupancy!.observed;
    const [all, front] = [await observedBy(both), await observedBy(frontOnly)];
    assert.deepEqual((await frontOnly).liveCameras, [true, false]);
    assert.equal(engine.inputs[1]![1], undefined);
    // x is the slowest axis: the rear half comes first.
    assert.ok(all.subarray(0, 12).includes(1) && all.subarray(12).includes(1));
    assert.ok(!front.subarray(0, 12).includes(1));
    assert.deepEqual(front.subarray(12), all.subarray(12));
  });

  it('goes on without a camera whose image cannot be used, and counts it', async () => {
    const done = pipeline.process({ stamp: 1n, images: [grey(1n), grey(1n, { step: 7 })] });
    await engine.finish();
    assert.deepEqual((await done).liveCameras, [true, false]);
    assert.deepEqual(errors, [['rear', 'CAMERA_IMAGE_LAYOUT']]);
    const { badImages, ...counts } = pipeline.statistics;
    assert.deepEqual(counts, { processed: 1, failed: 0, historyResets: {} });
    assert.deepEqual(badImages, { rear: 1 });
  });

  it('fails where no camera has an image that can be used, and says why', async () => {
    await assert.rejects(
      pipeline.process({ stamp: 1n, images: [grey(1n, { encoding: 'mono16' }), undefined] }),
      faultOf('CAMERA_IMAGES_MISSING', /none of 2 cameras.*"mono16"/),
    );
    assert.equal(pipeline.statistics.failed, 1);
    assert.equal(engine.inputs.length, 0);
  });

  it('goes on with the waiting frame after one that failed', async () => {
    const failing = pipeline.process(frameAt(1n));
    const next = pipeline.process(frameAt(2n));
    const failed = assert.rejects(failing, faultOf('MODEL_OUTPUT_INVALID'));
    await engine.finish(engineOutput({}));
    await failed;
    await engine.finish();
    assert.equal((await next).stamp, 2n);
  });

  it('aborts the frame in work and the one that waits', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const rejections = [1n, 2n].map((stamp) =>
      assert.rejects(pipeline.process(frameAt(stamp), { signal }), { name: 'AbortError' }),
    );
    await engine.untilRunning();
    controller.abort();
    await Promise.all(rejections);
    assert.equal(engine.inputs.length, 1);
  });

  it('changes the rig between frames, never within one', async () => {
    const first = pipeline.process(frameAt(1n));
    await engine.untilRunning();
    const change = pipeline.setRig({ baseFrame: 'odom', cameras: [cameraLooking('front', 0)] });
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(engine.rigs.length, 1);
    await engine.finish();
    assert.equal((await first).frameId, 'base_link');
    await change;
    assert.equal(engine.rigs.length, 2);
    const second = pipeline.process({ stamp: 2n, images: [grey(2n)] });
    await engine.finish();
    assert.equal((await second).frameId, 'odom');
  });

  describe('refuses', () => {
    it('a frame before the rig', async () => {
      await assert.rejects(
        new PerceptionPipeline({ engine }).process(frameAt(1n)),
        faultOf('CAMERA_RIG_MISSING'),
      );
    });

    it('a frame with another number of images than the rig has cameras', async () => {
      await assert.rejects(
        pipeline.process({ stamp: 1n, images: [grey(1n)] }),
        faultOf('CAMERA_FRAME_SIZE', /2 cameras, found a frame of 1/),
      );
    });

    it('a rig of more cameras than the network takes, and one of none', async () => {
      const three: CameraRig = {
        ...frontAndRear,
        cameras: [...frontAndRear.cameras, cameraLooking('left', 1)],
      };
      await assert.rejects(pipeline.setRig(three), faultOf('CAMERA_RIG_SIZE', /1 to 2 cameras, found 3/));
      await assert.rejects(
        pipeline.setRig({ ...frontAndRear, cameras: [] }),
        faultOf('CAMERA_RIG_SIZE', /found 0/),
      );
    });
  });
});
