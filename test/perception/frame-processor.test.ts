import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { RiggedFrame } from '../../src/perception/camera-intake.js';
import { FrameProcessor } from '../../src/perception/frame-processor.js';
import { PerceptionPipeline } from '../../src/perception/perception-pipeline.js';
import { frameAt, grey, HeldEngine } from './held-engine.js';
import { cameraLooking, frontAndRear } from './rig.js';

const rigged = (stamp: bigint): RiggedFrame => ({ frame: frameAt(stamp), rig: frontAndRear });

describe('FrameProcessor', () => {
  let engine: HeldEngine;
  let frames: FrameProcessor;

  beforeEach(() => {
    engine = new HeldEngine();
    frames = new FrameProcessor(new PerceptionPipeline({ engine }));
  });

  it('works on one frame, lets one wait, and the newest wins', async () => {
    const done = [1n, 2n, 3n, 4n].map((stamp) => frames.process(rigged(stamp)));
    await engine.finish();
    await engine.finish();
    const stamps = (await Promise.all(done)).map((perceived) => perceived?.result.stamp);
    assert.deepEqual(stamps, [1n, undefined, undefined, 4n]);
  });

  it('sets a rig before its first frame, and only then', async () => {
    const front = { baseFrame: 'base_link', cameras: [cameraLooking('front', 0)] };
    const inputs = [rigged(1n), rigged(2n), { rig: front, frame: { stamp: 3n, images: [grey(3n)] } }];
    for (const input of inputs) {
      const done = frames.process(input);
      await engine.finish();
      assert.equal((await done)!.view.rig, input.rig);
    }
    assert.deepEqual(
      engine.rigs.map(({ cameras }) => cameras),
      [2, 1],
    );
  });

  it('drops the frames of a time that is over, and goes on', async () => {
    const rejections = [1n, 2n].map((stamp) =>
      assert.rejects(frames.process(rigged(stamp)), { name: 'AbortError' }),
    );
    await engine.untilRunning();
    frames.abandon();
    await Promise.all(rejections);
    const next = frames.process(rigged(3n));
    engine.forget();
    await engine.finish();
    assert.equal((await next)!.result.stamp, 3n);
  });

  it('hands the pose of the robot through to the result', async () => {
    const egoPose = { frameId: 'odom', worldFromBase: frontAndRear.cameras[0]!.baseFromCamera };
    const done = frames.process({ rig: frontAndRear, frame: { ...frameAt(1n), egoPose } });
    await engine.finish();
    assert.equal((await done)!.result.egoPose, egoPose);
  });

  it('keeps no frame that is done with', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const process = async (stamp: bigint): Promise<WeakRef<RiggedFrame['frame']>> => {
      const input = rigged(stamp);
      const done = frames.process(input);
      await engine.finish();
      await done;
      return new WeakRef(input.frame);
    };
    const seen: WeakRef<RiggedFrame['frame']>[] = [];
    for (let stamp = 1n; stamp <= 5n; stamp++) seen.push(await process(stamp));
    // a WeakRef holds its target until the turn of the event loop ends
    await new Promise(setImmediate);
    collect();
    const kept = seen.filter((frame) => frame.deref() !== undefined).length;
    assert.ok(kept <= 1, `${kept} of ${seen.length} frames are still in memory`);
  });

  it('takes nothing any more once it is closed', async () => {
    await frames.close();
    await assert.rejects(frames.process(rigged(1n)), { name: 'AbortError' });
  });
});
