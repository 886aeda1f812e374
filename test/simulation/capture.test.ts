import assert from 'node:assert/strict';
import { OCC3D_CLASSES, OCC3D_FREE, OCC3D_GRID, occ3dLabel } from '../../src/dataset/occ3d.js';
import { PinholeCamera } from '../../src/geometry/pinhole-camera.js';
import { RigidTransform } from '../../src/geometry/rigid-transform.js';
import type { Vector3 } from '../../src/geometry/rigid-transform.js';
import type { Capture } from '../../src/simulation/capture.js';
import type { CapturedCamera } from '../../src/simulation/captured-camera.js';
import { odometry } from '../../src/simulation/drive-messages.js';
import { Recording } from '../../src/simulation/recording.js';
import type { SimulatedCamera } from '../../src/simulation/rig.js';
import { RIG_NAMES } from '../../src/simulation/rig-plans.js';

const SIZE = { width: 176, height: 64 };
const recordingOf = (seed: number, index = 0): Recording =>
  new Recording({ seed, index, imageSize: SIZE, samplesPerPixel: 1 });

const pinhole = ({ camera: { width, height, intrinsics } }: CapturedCamera): PinholeCamera => {
  const [fx, fy, cx, cy] = intrinsics;
  return new PinholeCamera({ width, height, fx, fy, cx, cy });
};

/** Points at the depths of every `step`-th pixel, ego frame, with the pixel's index. */
function* surface(view: CapturedCamera, step: number): Generator<{ point: Vector3; pixel: number }> {
  const model = pinhole(view);
  for (let pixel = 0; pixel < view.image.depth.length; pixel += step) {
    const depth = view.image.depth[pixel]!;
    if (!Number.isFinite(depth)) continue;
    const [x, y] = model.unproject([pixel % SIZE.width, Math.floor(pixel / SIZE.width)])!;
    yield { point: view.camera.egoFromCamera.apply([x * depth, y * depth, depth]), pixel };
  }
}

function isBesideOccupied(labels: Uint8Array, [x, y, z]: Vector3): boolean {
  const c = OCC3D_GRID.cellSize;
  for (const dx of [-1, 0, 1]) {
    for (const dy of [-1, 0, 1]) {
      for (const dz of [-1, 0, 1]) {
        const index = OCC3D_GRID.indexOf([x + dx * c[0], y + dy * c[1], z + dz * c[2]]);
        if (index !== undefined && labels[index] !== OCC3D_FREE) return true;
      }
    }
  }
  return false;
}

describe('capture', function () {
  this.timeout(120_000);
  let capture: Capture;

  before(async () => {
    capture = await recordingOf(11).capture(0);
  });

  it('gives the same bytes for the same seed', async () => {
    const again = await recordingOf(11).capture(0);
    assert.deepEqual(
      again.cameras.map(({ image }) => image),
      capture.cameras.map(({ image }) => image),
    );
    assert.deepEqual(again.voxels, capture.voxels);
    assert.deepEqual(again.scan, capture.scan);
    assert.deepEqual(again.boxes, capture.boxes);
  });

  it('gives other images for another seed and for another scene', async () => {
    for (const other of [await recordingOf(12).capture(0), await recordingOf(11, 1).capture(0)]) {
      assert.notDeepEqual(other.cameras[1]!.image.rgb, capture.cameras[1]!.image.rgb);
      assert.notDeepEqual(other.voxels.semantics, capture.voxels.semantics);
    }
  });

  it('shows all classes but "others" within a few scenes', async () => {
    const seen = new Set<number>();
    for (let index = 0; index < 6; index++) {
      const { voxels } = await recordingOf(21, index).capture(0);
      voxels.semantics.forEach((label, i) => {
        if (voxels.maskCamera[i] === 1) seen.add(label);
      });
    }
    const missing = OCC3D_CLASSES.filter((name) => name !== 'others' && !seen.has(occ3dLabel(name)));
    assert.deepEqual(missing, []);
  });

  it('puts every lidar point and depth in or beside an occupied voxel', () => {
    const points: Vector3[] = capture.cameras.flatMap((view) =>
      [...surface(view, 7)].map(({ point }) => point),
    );
    const lidar = capture.scan.points;
    const egoFromLidar = recordingOf(11).rig.egoFromLidar;
    for (let i = 0; i < lidar.length; i += 5 * 11) {
      points.push(egoFromLidar.apply([lidar[i]!, lidar[i + 1]!, lidar[i + 2]!]));
    }
    const inside = points.filter((point) => OCC3D_GRID.indexOf(point) !== undefined);
    assert.ok(inside.length > 3000, `${inside.length} points in the grid`);
    const stray = inside.filter((point) => !isBesideOccupied(capture.voxels.semantics, point));
    assert.ok(
      stray.length <= inside.length * 0.002,
      `${stray.length} of ${inside.length} points in empty space`,
    );
  });

  it('marks as visible only voxels that a camera looks at or through', () => {
    const slack = 0.75; // metres: a voxel's diagonal, for rays that only graze it
    const views = capture.cameras.map((view) => ({
      view,
      model: pinhole(view),
      cameraFromEgo: view.camera.egoFromCamera.inverse(),
    }));
    let checked = 0;
    let unseen = 0;
    const [, ny, nz] = OCC3D_GRID.shape;
    for (let index = 0; index < OCC3D_GRID.size; index += 97) {
      if (capture.voxels.maskCamera[index] === 0) continue;
      const center = OCC3D_GRID.center(
        Math.floor(index / (ny * nz)),
        Math.floor(index / nz) % ny,
        index % nz,
      );
      if (Math.hypot(center[0], center[1]) < 5) continue; // a voxel covers many pixels there
      checked += 1;
      const seen = views.some(({ view, model, cameraFromEgo }) => {
        const point = cameraFromEgo.apply(center);
        const pixel = model.project(point);
        if (pixel === undefined) return false;
        const reach = Math.ceil((0.35 * view.camera.intrinsics[0]) / point[2]);
        return deepestAround(view, pixel, reach) > point[2] - slack;
      });
      if (!seen) unseen += 1;
    }
    assert.ok(checked > 1000, `${checked} voxels checked`);
    assert.equal(unseen, 0);
  });

  it('marks free space in front of what a camera sees as visible', () => {
    let checked = 0;
    let marked = 0;
    for (const view of capture.cameras) {
      const origin = view.camera.egoFromCamera.translation;
      for (const { point } of surface(view, 53)) {
        const half: Vector3 = [0, 1, 2].map(
          (axis) => (origin[axis]! + point[axis]!) / 2,
        ) as unknown as Vector3;
        const index = OCC3D_GRID.indexOf(half);
        if (index === undefined) continue;
        checked += 1;
        marked += capture.voxels.maskCamera[index]!;
      }
    }
    assert.ok(checked > 300, `${checked} rays checked`);
    assert.ok(marked >= checked * 0.98, `${marked} of ${checked} marked`);
  });

  it('puts each actor’s pixels into its box and gives them its class', () => {
    const byIndex = new Map(capture.boxes.map((box) => [box.index, box]));
    let checked = 0;
    for (const view of capture.cameras) {
      for (const { point, pixel } of surface(view, 3)) {
        const box = byIndex.get(view.image.actors[pixel]!);
        if (box === undefined) continue;
        const egoFromBox = capture.worldFromEgo
          .inverse()
          .compose(RigidTransform.fromYaw(box.yaw, box.center));
        const local = egoFromBox.inverse().apply(point);
        box.actor.model.size.forEach((extent, axis) => {
          const beyond = Math.abs(local[axis]!) - extent / 2;
          assert.ok(
            beyond < 0.2,
            `${box.actor.kind} reaches ${beyond.toFixed(2)} m out of its box, axis ${axis}`,
          );
        });
        assert.equal(view.image.labels[pixel], occ3dLabel(box.actor.kind));
        checked += 1;
      }
    }
    assert.ok(checked > 200, `${checked} pixels of actors`);
  });

  for (const rig of RIG_NAMES) {
    it(`renders ${rig} through its lenses: what a pixel shows lies in its box and projects back to it`, async () => {
      const recording = new Recording({ seed: 12, index: 0, rig, imageSize: SIZE, samplesPerPixel: 1 });
      const { cameras, boxes, worldFromEgo } = await recording.capture(0);
      const byIndex = new Map(boxes.map((box) => [box.index, box]));
      let checked = 0;
      for (const { camera, image } of cameras) {
        const egoFromCamera = camera.egoFromCamera;
        for (let pixel = 0; pixel < image.depth.length; pixel += 3) {
          const box = byIndex.get(image.actors[pixel]!);
          if (box === undefined) continue;
          const at: readonly [number, number] = [pixel % SIZE.width, Math.floor(pixel / SIZE.width)];
          const point = pixelRay(camera, at).map((v) => v * image.depth[pixel]!) as unknown as Vector3;
          const projection = camera.lens.project(point)!;
          assert.ok(Math.hypot(projection.pixel[0] - at[0], projection.pixel[1] - at[1]) < 0.02);
          assert.ok(Math.abs(projection.depth - image.depth[pixel]!) < 1e-3);
          const world = worldFromEgo.apply(egoFromCamera.apply(point));
          const local = RigidTransform.fromYaw(box.yaw, box.center).inverse().apply(world);
          box.actor.model.size.forEach((extent, axis) => {
            // A long vehicle on a slope tilts out of its box, which does not.
            const slack = 0.2 + (axis === 2 ? 0.05 * box.actor.model.size[0] : 0);
            assert.ok(Math.abs(local[axis]!) < extent / 2 + slack, `${box.actor.kind}, axis ${axis}`);
          });
          checked += 1;
        }
      }
      assert.ok(checked > 100, `${checked} pixels of actors`);
    });
  }

  it('drives along its own x axis, up hill and down', async () => {
    let steepest = 0;
    for (let index = 0; steepest < 0.04; index++) {
      const recording = recordingOf(51, index);
      const frame = await recording.capture(0);
      if (Math.hypot(...frame.egoVelocity) < 2) continue;
      const { x, y, z } = odometry(frame, RigidTransform.identity, { sec: 0, nanosec: 0 }).twist.twist.linear;
      assert.ok(Math.abs(z) < 0.015 * x && Math.abs(y) < 0.05 * x, `scene ${index}: ${x}, ${y}, ${z} m/s`);
      steepest = Math.max(steepest, Math.abs(frame.worldFromEgo.rotate([1, 0, 0])[2]));
    }
  });

  it('lets the ground of a vehicle on a slope lie where its wheels are', async () => {
    for (let index = 0; ; index++) {
      const { worldFromEgo, voxels } = await recordingOf(51, index).capture(0);
      if (Math.abs(worldFromEgo.rotate([1, 0, 0])[2]) < 0.03) continue;
      // Under the vehicle, 4 m long: the layer of z = 0, whatever the slope.
      for (const x of [-0.6, 0.2, 1, 1.8, 2.6, 3.4]) {
        const label = voxels.semantics[OCC3D_GRID.indexOf([x, 0.1, 0.05])!];
        assert.equal(label, occ3dLabel('driveable_surface'), `x = ${x}, scene ${index}`);
      }
      return;
    }
  });

  it('moves the ego vehicle and the actors with their velocities', async () => {
    const seed = await firstMovingSeed();
    const recording = recordingOf(seed);
    const [now, later] = [await recording.capture(0), await recording.capture(0.5)];
    const moved = later.worldFromEgo.translation;
    const start = now.worldFromEgo.translation;
    assert.ok(Math.abs((moved[0] - start[0]) / 0.5 - now.egoVelocity[0]) < 0.3);
    assert.ok(Math.abs((moved[1] - start[1]) / 0.5 - now.egoVelocity[1]) < 0.3);
    const moving = now.boxes.filter(({ velocity }) => Math.hypot(...velocity) > 1);
    const again = new Map(later.boxes.map((box) => [box.index, box]));
    const both = moving.filter(({ index }) => again.has(index));
    assert.ok(both.length > 0, 'no moving actor in two frames');
    for (const { index, center, velocity } of both) {
      const there = again.get(index)!.center;
      assert.ok(Math.abs((there[0] - center[0]) / 0.5 - velocity[0]) < 0.3);
      assert.ok(Math.abs((there[1] - center[1]) / 0.5 - velocity[1]) < 0.3);
    }
  });
});

/** The direction of a pixel's centre, in the lengths that depths are counted in. */
function pixelRay({ lens, intrinsics }: SimulatedCamera, [u, v]: readonly [number, number]): Vector3 {
  const rays = lens.cornerRays;
  if (rays === undefined) {
    const [fx, fy, cx, cy] = intrinsics;
    return [(u - cx) / fx, (v - cy) / fy, 1];
  }
  const sum = [0, 0, 0];
  for (const row of [v, v + 1]) {
    for (const column of [u, u + 1]) {
      for (const axis of [0, 1, 2]) sum[axis]! += rays[(row * (SIZE.width + 1) + column) * 3 + axis]!;
    }
  }
  const length = Math.hypot(...sum);
  return sum.map((value) => value / length) as unknown as Vector3;
}

/** A scene in which the ego vehicle drives. */
async function firstMovingSeed(): Promise<number> {
  for (let seed = 31; ; seed++) {
    const { egoVelocity } = await recordingOf(seed).capture(0);
    if (Math.hypot(...egoVelocity) > 2) return seed;
  }
}

/** The largest depth within `reach` pixels; −Infinity outside the image. */
function deepestAround({ image }: CapturedCamera, [u, v]: readonly [number, number], reach: number): number {
  let deepest = -Infinity;
  for (let row = Math.round(v) - reach; row <= Math.round(v) + reach; row++) {
    for (let column = Math.round(u) - reach; column <= Math.round(u) + reach; column++) {
      if (row < 0 || column < 0 || row >= SIZE.height || column >= SIZE.width) continue;
      deepest = Math.max(deepest, image.depth[row * SIZE.width + column]!);
    }
  }
  return deepest;
}
