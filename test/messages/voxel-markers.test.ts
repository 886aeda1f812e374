import assert from 'node:assert/strict';
import { VoxelGrid } from '../../src/geometry/voxel-grid.js';
import { CUBE_LIST, marker } from '../../src/messages/marker.js';
import { MessageCodec } from '../../src/messages/message-codec.js';
import { voxelMarkers } from '../../src/messages/voxel-markers.js';
import type { PerceptionResult } from '../../src/perception/types.js';

const [CAR, ROAD, FREE] = [0, 1, 2];
const labels = {
  classes: [
    { name: 'car', color: [255, 0, 51], traversable: false },
    { name: 'road', color: [0, 0, 255], traversable: true },
    { name: 'free', color: [0, 0, 0], traversable: true },
  ],
  free: FREE,
} as const;
/** 2 × 3 × 2 voxels of 0.5 × 0.5 × 1 m. */
const grid = new VoxelGrid({ min: [-0.5, 1, -1], max: [0.5, 2.5, 1], shape: [2, 3, 2] });
const MARKERS = 'visualization_msgs/msg/MarkerArray';

/** @param frameId its length moves everything behind it, which CDR aligns */
function resultOf(
  voxels: readonly (readonly [index: number, label: number])[],
  frameId: string,
): PerceptionResult {
  const occupancy = {
    grid,
    labels: new Uint8Array(grid.size).fill(FREE),
    confidence: new Float32Array(grid.size),
    observed: new Uint8Array(grid.size).fill(1),
  };
  for (const [index, label] of voxels) occupancy.labels[index] = label;
  occupancy.observed[11] = 0;
  return {
    stamp: 1_700_000_000_123_456_789n,
    frameId,
    liveCameras: [true],
    occupancy,
    timings: {
      preprocess: 0,
      modules: { image_encoder: 0, view_transformer: 0, bev_encoder: 0, heads: 0 },
      decode: 0,
      total: 0,
    },
  };
}

describe('voxelMarkers', () => {
  const codec = new MessageCodec();
  const [red, blue] = [
    { r: 1, g: 0, b: 0.2, a: 1 },
    { r: 0, g: 0, b: 1, a: 1 },
  ];

  for (const frameId of ['', 'b', 'base', 'base_link']) {
    it(`are the bytes that the codec writes of cubes at the voxels that are seen and not free, frame "${frameId}"`, () => {
      const header = { stamp: { sec: 1_700_000_000, nanosec: 123_456_789 }, frame_id: frameId };
      const expected = codec.encode(MARKERS, {
        markers: [
          marker(header, {
            ns: 'voxels',
            type: CUBE_LIST,
            scale: { x: 0.5, y: 0.5, z: 1 },
            points: [
              { x: -0.25, y: 1.25, z: -0.5 },
              { x: 0.25, y: 2.25, z: -0.5 },
            ],
            colors: [red, blue],
          }),
        ],
      });
      const bytes = voxelMarkers(resultOf([[0, CAR], [10, ROAD], [11, CAR]], frameId), labels); // prettier-ignore
      assert.deepEqual(Buffer.from(bytes), Buffer.from(expected));
    });
  }

  it('hold only the classes that are wanted', () => {
    const bytes = voxelMarkers(resultOf([[0, CAR], [10, ROAD]], 'map'), labels, new Set([ROAD])); // prettier-ignore
    const [cubes] = codec.decode(MARKERS, bytes).markers;
    assert.deepEqual(cubes!.points, [{ x: 0.25, y: 2.25, z: -0.5 }]);
    assert.deepEqual(cubes!.colors, [blue]);
  });

  it('are an empty list where nothing is occupied, so that those of before vanish', () => {
    const [cubes] = codec.decode(MARKERS, voxelMarkers(resultOf([], 'map'), labels)).markers;
    assert.deepEqual([cubes!.points, cubes!.colors], [[], []]);
  });
});
