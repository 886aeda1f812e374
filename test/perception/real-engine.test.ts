import assert from 'node:assert/strict';

import { loadEngine } from '../../src/engine/load-engine.js';
import type { ModelManifest } from '../../src/engine/manifest.js';
import type { CameraModel } from '../../src/geometry/camera-model.js';
import { RigidTransform } from '../../src/geometry/rigid-transform.js';
import type { Vector3 } from '../../src/geometry/rigid-transform.js';
import { DetectionDecoder } from '../../src/perception/detection-decoder.js';
import { PerceptionPipeline } from '../../src/perception/perception-pipeline.js';
import type { CameraFrame, CameraRig, PerceptionResult } from '../../src/perception/types.js';
import { framesOf, goldenFixtures } from '../engine/golden-fixture.js';
import type { GoldenFixture, GoldenFrame } from '../engine/golden-fixture.js';
import { engineOutput } from './engine-output.js';

const TOLERANCE = 1e-4;

/** A lens whose pixels look along a fixture's random rays, which no real one does; its image is the network's input. */
class FixtureLens implements CameraModel {
  readonly width: number;
  readonly height: number;
  readonly #rays: Float32Array;
  readonly #columns: number;
  readonly #rows: number;

  constructor(
    size: { width: number; height: number },
    rays: Float32Array,
    [rows, columns]: readonly number[],
  ) {
    this.width = size.width;
    this.height = size.height;
    this.#rays = rays;
    this.#rows = rows!;
    this.#columns = columns!;
  }

  project(): undefined {
    return undefined;
  }

  unproject([u, v]: readonly [number, number]): Vector3 | undefined {
    const column = Math.round((u / (this.width - 1)) * (this.#columns - 1));
    const row = Math.round((v / (this.height - 1)) * (this.#rows - 1));
    const at = (row * this.#columns + column) * 3;
    const ray = [...this.#rays.subarray(at, at + 3)] as unknown as Vector3;
    return ray.some(Number.isNaN) ? undefined : ray;
  }
}

function rigOf({ tensors }: GoldenFixture, input: { width: number; height: number }): CameraRig {
  const { shape, data: rays } = tensors.get('rays')!;
  const origins = tensors.get('origins')!.data;
  const [cameras, rows, columns] = shape as [number, number, number];
  const size = rows * columns * 3;
  return {
    baseFrame: 'base_link',
    cameras: Array.from({ length: cameras }, (_, i) => ({
      name: `camera_${i}`,
      model: new FixtureLens(input, rays.subarray(i * size, (i + 1) * size) as Float32Array, [rows, columns]),
      baseFromCamera: new RigidTransform([0, 0, 0, 1], [
        ...origins.subarray(i * 3, i * 3 + 3),
      ] as unknown as Vector3),
    })),
  };
}

/** The fixture's frames a tenth of a second apart; poses follow from the motions, and 3 s lie before a frame that has none. */
function cameraFrames(
  fixture: GoldenFixture,
): { readonly frame: CameraFrame; readonly golden: GoldenFrame }[] {
  let stamp = 7n;
  let worldFromBase = RigidTransform.identity;
  return framesOf(fixture).map((golden) => {
    const { tensors, motion: m } = golden;
    stamp += m === undefined ? 3_000_000_000n : 100_000_000n;
    if (m !== undefined) {
      const previousFromCurrent = RigidTransform.fromMatrix(
        [m[0], m[1], m[2], m[4], m[5], m[6], m[8], m[9], m[10]],
        [m[3], m[7], m[11]],
      );
      worldFromBase = worldFromBase.compose(previousFromCurrent);
    }
    const frame = { stamp, images: imagesOf(tensors, stamp), egoPose: { frameId: 'odom', worldFromBase } };
    return { frame, golden };
  });
}

function imagesOf(tensors: GoldenFrame['tensors'], stamp: bigint): CameraFrame['images'] {
  const { shape, data } = tensors.get('input.images')!;
  const [cameras, height, width] = shape as [number, number, number];
  const mask = tensors.get('input.camera_mask')?.data ?? new Uint8Array(cameras).fill(1);
  const size = height * width * 3;
  return Array.from(mask, (isLive, i) =>
    isLive === 0
      ? undefined
      : {
          kind: 'raw' as const,
          stamp,
          width,
          height,
          encoding: 'rgb8',
          step: width * 3,
          isBigEndian: false,
          data: data.subarray(i * size, (i + 1) * size) as Uint8Array,
        },
  );
}

function assertResult(
  result: PerceptionResult,
  { images }: CameraFrame,
  { tensors }: GoldenFrame,
  { grid, detection }: ModelManifest,
): void {
  assert.deepEqual(
    result.liveCameras,
    images.map((image) => image !== undefined),
  );
  assert.deepEqual(result.occupancy!.labels, tensors.get('output.occupancy_labels')!.data);
  const confidence = tensors.get('output.occupancy_confidence')!.data;
  result.occupancy!.confidence.forEach((value, i) =>
    assert.ok(Math.abs(value - confidence[i]!) < TOLERANCE, `voxel ${i}: ${value}, ${confidence[i]}`),
  );
  const roles = ['heatmap', 'reg', 'height', 'dim', 'rot', 'vel'];
  const expected = new DetectionDecoder({ grid, detection: detection! }).decode(
    engineOutput(Object.fromEntries(roles.map((role) => [role, tensors.get(`output.${role}`)!]))),
  );
  assert.equal(result.detections!.length, expected.length);
  assert.ok(expected.length > 0);
  result.detections!.forEach((box, i) => {
    assert.equal(box.label, expected[i]!.label);
    box.position.forEach((value, axis) =>
      assert.ok(Math.abs(value - expected[i]!.position[axis]!) < 1e-3 * (1 + Math.abs(value))),
    );
  });
}

describe('PerceptionPipeline on the native engine', () => {
  const networks = goldenFixtures().filter(({ name }) => name.startsWith('network-'));

  it('has golden networks to be compared with', () => {
    assert.ok(networks.length >= 3);
  });

  for (const fixture of networks) {
    it(`gives the voxels and boxes that PyTorch gives: ${fixture.name}`, async () => {
      const engine = await loadEngine(fixture.model, { threads: 2, residual: 'fp32' });
      try {
        const pipeline = new PerceptionPipeline({ engine });
        await pipeline.setRig(rigOf(fixture, engine.manifest.input));
        for (const { frame, golden } of cameraFrames(fixture)) {
          const result = await pipeline.process(frame);
          assertResult(result, frame, golden, engine.manifest);
          if (engine.historyBytes > 0) assert.equal(result.history === 'used', golden.motion !== undefined);
        }
      } finally {
        engine.dispose();
      }
    });
  }
});
