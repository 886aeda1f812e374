import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { readFrameFile } from '../../src/dataset/frame-file.js';
import type { FrameFile } from '../../src/dataset/frame-file.js';
import { RigidTransform } from '../../src/geometry/rigid-transform.js';
import type { Matrix3, Vector3 } from '../../src/geometry/rigid-transform.js';
import { TransformBuffer } from '../../src/geometry/transform-buffer.js';
import { InputTransform } from '../../src/perception/input-transform.js';
import { RigAssembler } from '../../src/perception/rig-assembler.js';
import { computeRigRays } from '../../src/perception/rig-rays.js';
import { realViews } from './rig.js';

type Matrix = readonly (readonly number[])[];

interface FrameJson {
  readonly cameras: Readonly<
    Record<
      string,
      {
        readonly width: number;
        readonly height: number;
        readonly K: Matrix;
        readonly cam2ego: Matrix;
        readonly lidar2cam: Matrix;
      }
    >
  >;
  readonly lidar: { readonly file: string; readonly lidar2ego: Matrix };
  readonly boxes: readonly {
    readonly box_lidar: readonly [number, number, number, number, number, number, number];
  }[];
}

const folder = fileURLToPath(new URL('../../../shared/data/nuscenes_frame/', import.meta.url));
const MAX_ERROR_PX = 1;

/** Plain matrix arithmetic: what our classes are compared with. */
const multiply = (m: Matrix, [x, y, z]: Vector3): Vector3 =>
  m.slice(0, 3).map((row) => row[0]! * x + row[1]! * y + row[2]! * z + (row[3] ?? 0)) as unknown as Vector3;

/** Inverse by Gauss and Jordan, which takes no advantage of the matrix being rigid. */
function inverse(m: Matrix): Matrix {
  const n = m.length;
  const rows = m.map((row, i) => [...row, ...row.map((_, j) => (i === j ? 1 : 0))]);
  for (let column = 0; column < n; column++) {
    const pivot = rows
      .slice(column)
      .reduce((best, row) => (Math.abs(row[column]!) > Math.abs(best[column]!) ? row : best));
    rows[rows.indexOf(pivot)] = rows[column]!;
    rows[column] = pivot.map((value) => value / pivot[column]!);
    rows.forEach((row, i) => {
      if (i !== column) rows[i] = row.map((value, j) => value - row[column]! * rows[column]![j]!);
    });
  }
  return rows.map((row) => row.slice(n));
}

/** Pixel by K alone; undefined less than half a metre in front of the camera, where a pixel means nothing. */
function pixelOf(k: Matrix, point: Vector3): readonly [number, number] | undefined {
  const [u, v, w] = multiply(k, point);
  return point[2] > 0.5 ? [u / w, v / w] : undefined;
}

const rigid = (m: Matrix): RigidTransform =>
  RigidTransform.fromMatrix(
    m.slice(0, 3).flatMap((row) => row.slice(0, 3)) as unknown as Matrix3,
    m.slice(0, 3).map((row) => row[3]) as unknown as Vector3,
  );

function corners([x, y, z, length, width, height, yaw]: FrameJson['boxes'][number]['box_lidar']): Vector3[] {
  const [cos, sin] = [Math.cos(yaw), Math.sin(yaw)];
  return [-0.5, 0.5].flatMap((a) =>
    [-0.5, 0.5].flatMap((b) =>
      [-0.5, 0.5].map((c): Vector3 => {
        const [dx, dy] = [a * length, b * width];
        return [x + cos * dx - sin * dy, y + sin * dx + cos * dy, z + c * height];
      }),
    ),
  );
}

/**
 * A real nuScenes key frame. Its `lidar2cam` goes through the world, since each camera fired at its own moment of the drive; its
 * `lidar2ego` and `cam2ego` are the mounting alone, which is what a robot's TF tells. Both ways are compared, each with plain matrix
 * arithmetic on the file's numbers. Between the two lies the car's motion of up to 43 ms, 26 to 158 pixels near the car.
 */
describe('The real frame', () => {
  let json: FrameJson;
  let file: FrameFile;
  /** In the LiDAR's frame. */
  let lidarPoints: Vector3[];
  let boxCorners: Vector3[];

  before(async function () {
    if (!existsSync(`${folder}frame.json`)) {
      console.log(`      skipped: the real frame is not here (${folder})`);
      this.skip();
    }
    json = JSON.parse(readFileSync(`${folder}frame.json`, 'utf8')) as FrameJson;
    file = await readFrameFile(`${folder}frame.json`);
    const bytes = readFileSync(`${folder}${json.lidar.file}`);
    lidarPoints = Array.from({ length: bytes.length / 20 }, (_, i) => {
      const value = (axis: number): number => bytes.readFloatLE(i * 20 + axis * 4);
      return [value(0), value(1), value(2)];
    });
    boxCorners = json.boxes.flatMap(({ box_lidar }) => corners(box_lidar));
  });

  /** Largest distance in pixels over all points that `expected` puts into the image, and how many these are. */
  function compare(
    name: string,
    points: readonly Vector3[],
    cameraFromLidar: RigidTransform,
    expected: (point: Vector3) => Vector3,
  ): { readonly count: number; readonly worst: number } {
    const { model } = file.rig.cameras.find((camera) => camera.name === name)!;
    const { K, width, height } = json.cameras[name]!;
    let [count, worst] = [0, 0];
    for (const point of points) {
      const pixel = pixelOf(K, expected(point));
      if (pixel === undefined || pixel[0] < 0 || pixel[1] < 0 || pixel[0] >= width || pixel[1] >= height)
        continue;
      const ours = model.project(cameraFromLidar.apply(point));
      assert.ok(ours, `${name} has no image of ${point.join(', ')}`);
      worst = Math.max(worst, Math.hypot(ours[0] - pixel[0], ours[1] - pixel[1]));
      count++;
    }
    return { count, worst };
  }

  for (const [what, pointsOf, least] of [
    ['LiDAR points', () => lidarPoints, 2500],
    ['corners of the annotated boxes', () => boxCorners, 8],
  ] as const) {
    it(`puts ${what} where lidar2cam and K put them`, () => {
      for (const [name, { lidar2cam }] of Object.entries(json.cameras)) {
        const { count, worst } = compare(name, pointsOf(), rigid(lidar2cam), (p) => multiply(lidar2cam, p));
        assert.ok(count >= least, `${name} sees only ${count}`);
        assert.ok(worst <= MAX_ERROR_PX, `${name}: ${worst} pixels off`);
      }
    });

    it(`puts ${what} where lidar2ego, cam2ego and K put them, through a rig made of TF and CameraInfo`, () => {
      const { lidar2ego } = json.lidar;
      const transforms = new TransformBuffer();
      const setStatic = (child: string, m: Matrix): void =>
        transforms.setStatic({ parent: 'base_link', child, stamp: 0n, transform: rigid(m) });
      setStatic('lidar', lidar2ego);
      for (const [name, { cam2ego }] of Object.entries(json.cameras)) setStatic(name, cam2ego);
      const names = Object.keys(json.cameras);
      const assembler = new RigAssembler('base_link', names, transforms);
      for (const [name, { width, height, K }] of Object.entries(json.cameras)) {
        const info = { width, height, k: K.flat(), d: [0, 0, 0, 0, 0], distortion_model: 'plumb_bob' };
        assembler.setCalibration(name, name, info);
      }
      const { rig, faults } = assembler.assemble(file.frame);
      assert.deepEqual(faults, []);
      assert.ok(rig);
      rig.cameras.forEach(({ baseFromCamera }, camera) => {
        const { matrix } = file.rig.cameras[camera]!.baseFromCamera;
        baseFromCamera.matrix.forEach((value, i) => assert.ok(Math.abs(value - matrix[i]!) < 1e-12));
      });
      for (const { name } of rig.cameras) {
        const egoToCamera = inverse(json.cameras[name]!.cam2ego);
        const { count, worst } = compare(
          name,
          pointsOf(),
          transforms.lookup(name, 'lidar', file.frame.stamp),
          (p) => multiply(egoToCamera, multiply(lidar2ego, p)),
        );
        assert.ok(count >= least, `${name} sees only ${count}`);
        assert.ok(worst <= MAX_ERROR_PX, `${name}: ${worst} pixels off`);
      }
    });
  }

  it("sends the rays of the network's feature cells through the pixels of their cells", () => {
    const input = { width: 704, height: 256 };
    const [h, w] = [16, 44];
    const { rays, origins } = computeRigRays(realViews(file.rig), input, [h, w]);
    file.rig.cameras.forEach(({ name, model }, camera) => {
      const { K, cam2ego } = json.cameras[name]!;
      const egoToCamera = inverse(cam2ego);
      const transform = new InputTransform(model, input);
      for (let i = 0; i < h * w; i++) {
        const [row, column] = [Math.floor(i / w), i % w];
        const at = (camera * h * w + i) * 3;
        const point = [0, 1, 2].map((axis) => origins[camera * 3 + axis]! + 20 * rays[at + axis]!);
        const inCamera = multiply(egoToCamera, point as unknown as Vector3);
        assert.ok(Math.abs(inCamera[2] - 20) < 1e-3, `depth ${inCamera[2]}`);
        const [u, v] = transform.toInput(pixelOf(K, inCamera)!);
        const error = Math.hypot(
          u - (column * (input.width - 1)) / (w - 1),
          v - (row * (input.height - 1)) / (h - 1),
        );
        assert.ok(error < 0.01, `${name}, cell ${row}, ${column}: ${error} pixels off`);
      }
    });
  });

  it('reads the annotated boxes and LiDAR points in the base frame', () => {
    const { lidar2ego } = json.lidar;
    file.boxes.forEach(({ position, size }, i) => {
      const [x, y, z, ...rest] = json.boxes[i]!.box_lidar;
      const expected = multiply(lidar2ego, [x, y, z]);
      position.forEach((value, axis) => assert.ok(Math.abs(value - expected[axis]!) < 1e-5));
      assert.deepEqual(size, rest.slice(0, 3));
    });
    assert.equal(file.points!.length, lidarPoints.length * 3);
    const [last, expected] = [file.points!.subarray(-3), multiply(lidar2ego, lidarPoints.at(-1)!)];
    last.forEach((value, axis) => assert.ok(Math.abs(value - expected[axis]!) < 1e-4));
  });
});
