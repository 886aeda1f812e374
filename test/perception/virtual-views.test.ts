import assert from 'node:assert/strict';

import type { ModelManifest } from '../../src/engine/manifest.js';
import { readManifest } from '../../src/engine/model-file.js';
import { shippedModel } from '../../src/engine/shipped-model.js';
import { BdcError } from '../../src/errors.js';
import { cameraModelFromInfo } from '../../src/geometry/camera-info.js';
import { RigidTransform, type Vector3 } from '../../src/geometry/rigid-transform.js';
import { networkViews, type VirtualCameraMode } from '../../src/perception/network-views.js';
import { PerceptionPipeline } from '../../src/perception/perception-pipeline.js';
import { computeRigRays } from '../../src/perception/rig-rays.js';
import type { CameraImage, CameraRig, RigCamera } from '../../src/perception/types.js';
import { viewImages } from '../../src/perception/view-images.js';
import { VirtualCamera } from '../../src/perception/virtual-camera.js';
import { cameraInfo } from '../../src/simulation/drive-messages.js';
import { Random } from '../../src/simulation/random.js';
import { buildRig } from '../../src/simulation/rig.js';
import type { RigName } from '../../src/simulation/rig-plans.js';
import { manifest as testManifest } from './engine-output.js';
import { grey, HeldEngine } from './held-engine.js';
import { cameraLooking, frontAndRear } from './rig.js';

const DEGREE = Math.PI / 180;

function simulated(name: RigName, seed = 1, size = { width: 640, height: 360 }): CameraRig {
  const cameras = buildRig(name, new Random(seed, 0), size).cameras.map((camera) => ({
    name: camera.channel,
    model: cameraModelFromInfo(cameraInfo(camera, { sec: 0, nanosec: 0 }), camera.channel),
    baseFromCamera: camera.egoFromCamera,
  }));
  return { baseFrame: 'base_link', cameras };
}

/** Red says where a direction of the base frame lies about +z, green how far up; smooth but behind the vehicle. */
function colorOf([x, y, z]: Vector3): readonly [number, number, number] {
  const [azimuth, elevation] = [Math.atan2(y, x), Math.atan2(z, Math.hypot(x, y))];
  return [127.5 + (azimuth / Math.PI) * 120, 127.5 + (elevation / Math.PI) * 240, 40];
}

/** What a camera sees of a world that has these colours infinitely far away; black beyond 90° off its axis. */
function photograph({ model, baseFromCamera }: RigCamera): CameraImage {
  const { width, height } = model;
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    const ray = model.unproject([i % width, Math.floor(i / width)]);
    if (ray !== undefined) data.set(colorOf(baseFromCamera.rotate(ray)).map(Math.round), i * 3);
  }
  return {
    kind: 'raw',
    stamp: 0n,
    width,
    height,
    encoding: 'rgb8',
    step: width * 3,
    isBigEndian: false,
    data,
  };
}

describe('Virtual cameras', () => {
  let input: ModelManifest['input'];
  before(async () => ({ input } = await readManifest(shippedModel())));

  const viewsOf = (rig: CameraRig, mode: VirtualCameraMode = 'auto', knowsCalibration = false) =>
    networkViews(rig, input, mode, knowsCalibration);
  const isVirtual = (rig: CameraRig, mode?: VirtualCameraMode): boolean =>
    viewsOf(rig, mode).some(({ camera }) => camera.model instanceof VirtualCamera);

  describe('are used', () => {
    it('not for the rig of the training data, whose cameras are mounted a little differently each time', () => {
      for (let seed = 0; seed < 50; seed++)
        assert.equal(isVirtual(simulated('nuscenes', seed)), false, `seed ${seed}`);
    });

    it('for rigs that look otherwise, and for a known camera that hangs lower or looks down', () => {
      assert.ok(isVirtual(simulated('three-camera')));
      assert.ok(isVirtual(simulated('four-fisheye')));
      const [front] = simulated('nuscenes').cameras.slice(1) as [RigCamera];
      const placed = (moved: RigCamera['baseFromCamera']): CameraRig => ({
        baseFrame: 'base_link',
        cameras: [{ ...front, baseFromCamera: moved }],
      });
      const { baseFromCamera: mount } = front;
      assert.equal(isVirtual(placed(mount)), false);
      assert.ok(isVirtual(placed(cameraLooking('low', 0).baseFromCamera.compose(shift(0, 0.7, 0)))));
      assert.ok(isVirtual(placed(mount.compose(pitch(10 * DEGREE)))));
    });

    it('always or never, where the user says so', () => {
      assert.ok(isVirtual(simulated('nuscenes'), 'always'));
      assert.equal(isVirtual(simulated('three-camera'), 'never'), false);
    });
  });

  for (const name of ['three-camera', 'four-fisheye'] as const) {
    describe(`on the rig ${name}`, () => {
      const rig = simulated(name);

      it('look level, as far and with the horizon as in training, each through a camera that sees its image', () => {
        const [trained] = input.trained_views!;
        for (const { source, camera, depthScale } of viewsOf(rig)) {
          const real = rig.cameras[source]!;
          const { fx, cx, cy } = camera.model.undistorted!;
          assert.deepEqual([fx, cx, cy], [trained!.focal_length, ...trained!.center]);
          assert.deepEqual(camera.baseFromCamera.translation, real.baseFromCamera.translation);
          assert.ok(Math.abs(camera.baseFromCamera.rotate([0, 0, 1])[2]) < 1e-9);
          assert.ok(Math.abs(camera.baseFromCamera.rotate([1, 0, 0])[2]) < 1e-9);
          const height = real.baseFromCamera.translation[2];
          assert.ok(Math.abs(depthScale ** 2 - height / trained!.height) < 1e-9);
        }
      });

      it('see together every direction at the horizon that the rig sees, but for slivers where two real cameras meet', () => {
        const sees = ({ model, baseFromCamera }: RigCamera, degrees: number): boolean => {
          const direction = [Math.cos(degrees * DEGREE), Math.sin(degrees * DEGREE), 0] as const;
          const pixel = model.project(baseFromCamera.inverse().rotate(direction));
          return (
            pixel !== undefined &&
            pixel[0] > -0.5 &&
            pixel[0] < model.width - 0.5 &&
            pixel[1] > 0 &&
            pixel[1] < model.height
          );
        };
        const views = viewsOf(rig);
        const missed = Array.from({ length: 360 }, (_, degrees) => degrees).filter(
          (degrees) =>
            rig.cameras.some((camera) => sees(camera, degrees)) &&
            !views.some(({ camera }) => sees(camera, degrees)),
        );
        const isSliver = (degrees: number): boolean =>
          ![degrees - 2, degrees + 2].every((near) => missed.includes(near));
        assert.ok(missed.length <= 6 && missed.every(isSliver), missed.join());
      });

      it('have images of what is in each of their pixels’ directions', async () => {
        const views = viewsOf(rig);
        const fill = input.mean.map(Math.round);
        let compared = 0;
        for (const [source, made] of (await viewImages(rig, views, input)).entries()) {
          const images = await made.make(photograph(rig.cameras[source]!));
          for (const [i, image] of images.entries()) {
            const { model, baseFromCamera } = views[made.views[i]!]!.camera;
            for (let v = 1; v < input.height; v += 9) {
              for (let u = 1; u < input.width; u += 7) {
                const found = [...image.subarray((v * input.width + u) * 3).subarray(0, 3)];
                const ray = model.unproject([u, v]);
                if (ray === undefined) {
                  assert.deepEqual(found, fill);
                  continue;
                }
                const direction = baseFromCamera.rotate(ray);
                if (Math.abs(Math.atan2(direction[1], direction[0])) > 175 * DEGREE) continue; // where red wraps
                if (offAxis(rig.cameras[source]!, direction) > 85 * DEGREE) continue; // beside the photograph's black
                colorOf(direction).forEach((value, c) =>
                  assert.ok(
                    Math.abs(value - found[c]!) < 2.5,
                    `view ${made.views[i]}, pixel ${u}, ${v}: ${found.join()}`,
                  ),
                );
                compared++;
              }
            }
          }
        }
        assert.ok(compared > 1000, `${compared} pixels`);
      });
    });
  }

  it('have no rays where the real camera sees nothing, and depths corrected where it does', () => {
    const [low] = frontAndRear.cameras;
    const rig = {
      ...frontAndRear,
      cameras: [{ ...low!, baseFromCamera: low!.baseFromCamera.compose(shift(0, 0.9, 0)) }],
    };
    const [corrected, plain] = [false, true].map((knows) =>
      computeRigRays(viewsOf(rig, 'always', knows), input, [16, 44]),
    );
    const scale = Math.sqrt(0.6 / input.trained_views![0]!.height);
    // the camera sees 45° to each side, its two views more
    const missing = plain!.rays.filter(Number.isNaN).length;
    assert.ok(missing > 0 && missing < plain!.rays.length / 2, `${missing} of ${plain!.rays.length}`);
    plain!.rays.forEach((length, i) => {
      const other = corrected!.rays[i]!;
      assert.ok(Number.isNaN(length) ? Number.isNaN(other) : Math.abs(other - length * scale) < 1e-5);
    });
  });

  it('leave depths alone where the base frame does not lie on the ground', () => {
    const sunken = frontAndRear.cameras.map((camera) => ({
      ...camera,
      baseFromCamera: camera.baseFromCamera.compose(shift(0, 1.6, 0)),
    }));
    const views = viewsOf({ ...frontAndRear, cameras: sunken }, 'always');
    assert.ok(views.every(({ depthScale }) => depthScale === 1));
  });

  it('look through more real cameras than the network takes', () => {
    const cameras = Array.from({ length: 9 }, (_, i) => cameraLooking(`camera_${i}`, i * 40 * DEGREE));
    const rig = { baseFrame: 'base_link', cameras };
    assert.equal(viewsOf(rig, 'always').length, 6);
    assert.throws(
      () => viewsOf(rig, 'never'),
      (error) =>
        error instanceof BdcError &&
        error.code === 'CAMERA_RIG_SIZE' &&
        /1 to 6 cameras, found 9/.test(error.message),
    );
  });

  it('are refused where they would be too many, and for a model that does not say what it was trained with', () => {
    const refuses = (changes: Partial<ModelManifest['input']>, code: string, message: RegExp): void =>
      assert.throws(
        () => networkViews(frontAndRear, { ...input, ...changes }, 'always', false),
        (error) => error instanceof BdcError && error.code === code && message.test(error.message),
      );
    refuses({ cameras: 3 }, 'CAMERA_RIG_SIZE', /takes 1 to 3 cameras, found 4 virtual cameras/);
    const { trained_views, ...unknown } = input;
    assert.ok(trained_views);
    assert.throws(
      () => networkViews(frontAndRear, unknown, 'always', false),
      (error) =>
        error instanceof BdcError &&
        error.code === 'VIRTUAL_CAMERAS_UNKNOWN' &&
        /trained_views/.test(error.message),
    );
  });

  it('go through the pipeline by the real cameras’ names', async () => {
    const trained_views = [{ focal_length: 4, center: [3.5, 2.5] as const, height: 1.5 }];
    const engine = new HeldEngine({ input: { ...testManifest.input, cameras: 6, trained_views } });
    const pipeline = new PerceptionPipeline({ engine, virtualCameras: 'always' });
    await pipeline.setRig(frontAndRear);
    assert.equal(pipeline.view!.virtualCameras, engine.rigs[0]!.cameras);
    const done = pipeline.process({ stamp: 1n, images: [grey(1n), undefined] });
    await engine.finish();
    const { liveCameras, occupancy } = await done;
    assert.deepEqual(liveCameras, [true, false]);
    const sources = pipeline.view!.views.map(({ source }) => source);
    assert.deepEqual(
      engine.inputs[0]!.map((image) => image !== undefined),
      sources.map((source) => source === 0),
    );
    // the rear half comes first
    assert.ok(
      !occupancy!.observed.subarray(0, 12).includes(1) && occupancy!.observed.subarray(12).includes(1),
    );
  });
});

const shift = (x: number, y: number, z: number): RigidTransform =>
  new RigidTransform([0, 0, 0, 1], [x, y, z]);
const pitch = (angle: number): RigidTransform =>
  new RigidTransform([Math.sin(angle / 2), 0, 0, Math.cos(angle / 2)], [0, 0, 0]);

function offAxis({ baseFromCamera }: RigCamera, direction: Vector3): number {
  const [x, y, z] = baseFromCamera.rotate([0, 0, 1]);
  const along = x * direction[0] + y * direction[1] + z * direction[2];
  return Math.acos(along / Math.hypot(...direction));
}
