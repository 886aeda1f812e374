import assert from 'node:assert/strict';
import type { ModelManifest } from '../../src/engine/manifest.js';
import { VoxelGrid } from '../../src/geometry/voxel-grid.js';
import { boxMarkers, detection3DArray } from '../../src/messages/detection-messages.js';
import { MessageCodec } from '../../src/messages/message-codec.js';
import { occupancyGrid } from '../../src/messages/occupancy-grid.js';
import {
  countOccupiedVoxels,
  occupiedVoxelsCloud,
  readOccupiedVoxelsCloud,
} from '../../src/messages/occupied-voxels-cloud.js';
import { RESULT_TYPES, ResultEncoder, resultNames } from '../../src/messages/result-messages.js';
import type { Detection, PerceptionResult } from '../../src/perception/types.js';

const [CAR, ROAD, FREE] = [0, 1, 2];
const labels = {
  classes: [
    { name: 'car', color: [255, 128, 1], traversable: false },
    { name: 'road', color: [0, 0, 255], traversable: true },
    { name: 'free', color: [0, 0, 0], traversable: true },
  ],
  free: FREE,
} as const;
const boxClasses = [{ name: 'traffic_cone', color: [255, 0, 51], nms_scale: 1 }] as const;
/** 2 × 3 × 2 voxels of 0.5 × 0.5 × 1 m. */
const grid = new VoxelGrid({ min: [-0.5, 1, -1], max: [0.5, 2.5, 1], shape: [2, 3, 2] });

function resultOf(
  voxels: readonly (readonly [i: number, j: number, k: number, label: number, observed: boolean])[],
  detections: readonly Detection[] = [],
): PerceptionResult {
  const occupancy = {
    grid,
    labels: new Uint8Array(grid.size).fill(FREE),
    confidence: new Float32Array(grid.size).fill(0.25),
    observed: new Uint8Array(grid.size),
  };
  for (const [i, j, k, label, observed] of voxels) {
    const index = grid.indexOf(grid.center(i, j, k))!;
    occupancy.labels[index] = label;
    occupancy.observed[index] = observed ? 1 : 0;
  }
  return {
    stamp: 1_700_000_000_123_456_789n,
    frameId: 'base_link',
    liveCameras: [true],
    occupancy,
    detections,
    timings: {
      preprocess: 0,
      modules: { image_encoder: 0, view_transformer: 0, bev_encoder: 0, heads: 0 },
      decode: 0,
      total: 0,
    },
  };
}

const header = { stamp: { sec: 1_700_000_000, nanosec: 123_456_789 }, frame_id: 'base_link' };
const cone: Detection = {
  label: 0,
  score: 0.756,
  position: [3, -2, 0.5],
  size: [0.4, 0.3, 1],
  yaw: Math.PI / 2,
  velocity: [0, 0],
};

describe('occupiedVoxelsCloud', () => {
  const result = resultOf([
    [0, 0, 0, CAR, true],
    [0, 1, 0, CAR, false],
    [0, 2, 1, FREE, true],
    [1, 2, 1, ROAD, true],
  ]);

  it('holds the centres of voxels that are seen and not free', () => {
    const cloud = occupiedVoxelsCloud(result, labels);
    assert.deepEqual(cloud.header, header);
    assert.deepEqual([cloud.height, cloud.width, cloud.row_step, cloud.is_dense], [1, 2, 48, true]);
    assert.equal(countOccupiedVoxels(result, FREE), 2);
    assert.deepEqual(readOccupiedVoxelsCloud(cloud), [
      { x: -0.25, y: 1.25, z: -0.5, label: CAR, confidence: 0.25, rgb: 0xff8001 },
      { x: 0.25, y: 2.25, z: 0.5, label: ROAD, confidence: 0.25, rgb: 0x0000ff },
    ]);
  });

  it('lays a point out as its fields say, little endian', () => {
    const { data, fields, point_step, is_bigendian } = occupiedVoxelsCloud(result, labels);
    assert.equal(is_bigendian, false);
    assert.equal(point_step, 24);
    assert.deepEqual(
      fields.map(({ name, offset, datatype, count }) => [name, offset, datatype, count]),
      [
        ['x', 0, 7, 1],
        ['y', 4, 7, 1],
        ['z', 8, 7, 1],
        ['confidence', 12, 7, 1],
        ['rgb', 16, 7, 1],
        ['label', 20, 2, 1],
      ],
    );
    // −0.25, 1.25, −0.5, 0.25 as float32, then blue, green, red, 0, the label and padding
    assert.equal(
      Buffer.from(data.subarray(0, 24)).toString('hex'),
      '000080be' + '0000a03f' + '000000bf' + '0000803e' + '0180ff00' + '00000000',
    );
  });

  it('is empty where nothing is seen', () => {
    const cloud = occupiedVoxelsCloud(resultOf([[0, 0, 0, CAR, false]]), labels);
    assert.deepEqual([cloud.width, cloud.data.length], [0, 0]);
    assert.deepEqual(readOccupiedVoxelsCloud(cloud), []);
  });

  it('is read in any layout, and refused without its fields or with too little data', () => {
    const cloud = occupiedVoxelsCloud(result, labels);
    const padded = new Uint8Array(60);
    padded.set(cloud.data.subarray(0, 24));
    padded.set(cloud.data.subarray(24), 30);
    const twoRows = { ...cloud, height: 2, width: 1, row_step: 30, data: padded };
    assert.deepEqual(readOccupiedVoxelsCloud(twoRows), readOccupiedVoxelsCloud(cloud));
    for (const broken of [
      { ...cloud, fields: cloud.fields.slice(1) },
      { ...cloud, fields: cloud.fields.map((field) => ({ ...field, datatype: 8 })) },
      { ...cloud, fields: cloud.fields.map((field) => ({ ...field, offset: 24 })) },
      { ...cloud, data: cloud.data.subarray(1) },
      { ...cloud, row_step: 10 },
    ]) {
      assert.throws(() => readOccupiedVoxelsCloud(broken), { code: 'POINT_CLOUD_INVALID' });
    }
  });
});

describe('occupancyGrid', () => {
  const whole = { min: -1, max: 1 };

  it('is 100 where an obstacle is seen, 0 where all that is seen is free or traversable, else −1', () => {
    const result = resultOf([
      [0, 0, 0, CAR, true],
      [1, 0, 0, ROAD, true],
      [0, 1, 1, FREE, true],
      [1, 1, 1, CAR, false],
      [1, 2, 0, FREE, true],
      [1, 2, 1, CAR, true],
    ]);
    const { header: found, info, data } = occupancyGrid(result, labels, whole);
    assert.deepEqual(found, header);
    // rows along y, x fastest
    assert.deepEqual([...data], [100, 0, 0, -1, -1, 100]);
    assert.deepEqual([info.width, info.height, info.resolution], [2, 3, 0.5]);
    assert.deepEqual(info.origin.position, { x: -0.5, y: 1, z: 0 });
    assert.deepEqual(info.map_load_time, header.stamp);
  });

  it('looks at the voxels that reach into the height band', () => {
    const result = resultOf([
      [0, 0, 0, CAR, true],
      [0, 0, 1, FREE, true],
    ]);
    const cell = (min: number, max: number): number => occupancyGrid(result, labels, { min, max }).data[0]!;
    assert.equal(cell(-1, 0), 100);
    assert.equal(cell(-0.1, 1), 100);
    assert.equal(cell(0, 1), 0);
    assert.equal(cell(0.5, 9), 0);
    assert.equal(cell(1, 2), -1);
    assert.equal(cell(-5, -1), -1);
  });

  it('refuses voxels that are not square from above', () => {
    const long = new VoxelGrid({ min: [0, 0, 0], max: [2, 1, 1], shape: [1, 1, 1] });
    const result = resultOf([]);
    const other = { ...result, occupancy: { ...result.occupancy!, grid: long } };
    assert.throws(() => occupancyGrid(other, labels, whole), { code: 'GRID_NOT_SQUARE' });
  });
});

describe('detection messages', () => {
  const result = resultOf([], [cone]);

  it('say class, score, pose and size', () => {
    const { header: found, detections } = detection3DArray(result, boxClasses);
    assert.deepEqual(found, header);
    const [{ results, bbox }] = detections as [(typeof detections)[0]];
    assert.deepEqual(results[0]!.hypothesis, { class_id: 'traffic_cone', score: 0.756 });
    assert.deepEqual(bbox.size, { x: 0.4, y: 0.3, z: 1 });
    assert.deepEqual(bbox.center.position, { x: 3, y: -2, z: 0.5 });
    const { x, y, z, w } = bbox.center.orientation;
    assert.ok(Math.hypot(x, y, z - Math.SQRT1_2, w - Math.SQRT1_2) < 1e-12);
  });

  it('as markers delete what was shown before, then show a box and its text', () => {
    const { markers } = boxMarkers(result, boxClasses);
    // DELETEALL; CUBE and TEXT_VIEW_FACING, ADD
    assert.deepEqual(
      markers.map(({ action, ns, type }) => [action, ns, type]),
      [
        [3, '', 1],
        [0, 'boxes', 1],
        [0, 'labels', 9],
      ],
    );
    assert.deepEqual(markers[1]!.color, { r: 1, g: 0, b: 0.2, a: 0.5 });
    assert.deepEqual(markers[1]!.scale, { x: 0.4, y: 0.3, z: 1 });
    assert.equal(markers[2]!.text, 'traffic_cone 76 %');
    assert.ok(markers[2]!.pose.position.z > 1);
  });

  it('without boxes still delete those of before', () => {
    assert.equal(boxMarkers(resultOf([]), boxClasses).markers.length, 1);
    assert.equal(detection3DArray(resultOf([]), boxClasses).detections.length, 0);
  });
});

describe('ResultEncoder', () => {
  const manifest = {
    occupancy: labels,
    detection: { classes: boxClasses, score_threshold: 0.1, nms_threshold: 0.1, max_candidates: 10 },
  } satisfies Pick<ModelManifest, 'occupancy' | 'detection'>;

  it('makes every message of a result, with its stamp and frame', () => {
    const codec = new MessageCodec();
    const encoder = new ResultEncoder(codec, manifest, { min: -1, max: 1 });
    const result = resultOf([[0, 0, 0, CAR, true]], [cone]);
    const decoded = resultNames(manifest).map((name) =>
      codec.decode(RESULT_TYPES[name], encoder.encode(name, result)),
    );
    assert.equal(decoded.length, 4);
    for (const message of decoded) {
      assert.deepEqual('markers' in message ? message.markers[0]!.header : message.header, header);
    }
  });

  it('leaves out what the model has no head for', () => {
    assert.deepEqual(resultNames({ occupancy: labels }), ['occupied_voxels', 'occupancy_grid']);
    assert.deepEqual(resultNames({ detection: manifest.detection }), ['detections', 'markers']);
  });
});
