import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { loadEngine } from '../../src/engine/load-engine.js';
import { VoxelGrid } from '../../src/geometry/voxel-grid.js';
import { occupancyGrid } from '../../src/messages/occupancy-grid.js';
import { detection3DArray } from '../../src/messages/detection-messages.js';
import { occupiedVoxelsCloud, readOccupiedVoxelsCloud } from '../../src/messages/occupied-voxels-cloud.js';
import { timeFromNs } from '../../src/messages/stamp.js';
import { expectedResult } from './expected-result.js';
import { modelFile } from './frame-file.js';
import { arrayBytes } from './peer.js';
import type { ArrayFile } from './peer.js';
import { requireRos2 } from './ros2-graph.js';
import type { Ros2Environment } from './ros2-graph.js';
import { RESULTS, Robot } from './robot.js';
import type { ReceivedResults } from './robot.js';
import { repeatUntil } from './waiting.js';

const LIMIT_MS = 180_000;
const HEIGHT_BAND = { min: 0.2, max: 2 };

/** What came over the graph is what the pipeline makes of the same images. */
async function assertAsExpected(
  robot: Robot,
  received: ReceivedResults,
  working = robot.scene.cameras,
): Promise<void> {
  const { result, manifest } = await expectedResult(robot.scene, received.stamp, working);
  const header = { stamp: timeFromNs(received.stamp), frame_id: 'base_link' };

  const { data, ...cloud } = occupiedVoxelsCloud(result, manifest.occupancy!);
  const { data: receivedData, ...receivedCloud } = received.cloud;
  assert.deepEqual(receivedCloud, JSON.parse(JSON.stringify({ ...cloud, header })));
  assert.ok(data.length > 0, 'a frame without occupied voxels shows nothing');
  assert.ok(
    arrayBytes(receivedData).equals(data),
    'the points of ~/occupied_voxels differ from those of the pipeline',
  );

  const grid = occupancyGrid(result, manifest.occupancy!, HEIGHT_BAND);
  assert.deepEqual(received.grid.header, header);
  assert.equal(received.grid.info.width * received.grid.info.height, grid.data.length);
  const cells = arrayBytes(received.grid.data);
  assert.deepEqual(
    Array.from(new Int8Array(cells.buffer, cells.byteOffset, cells.length)),
    Array.from(grid.data),
  );

  const boxes = detection3DArray(result, manifest.detection!.classes).detections;
  assert.deepEqual(received.detections.header, header);
  assert.deepEqual(
    received.detections.detections.map(({ header: own, results: [first], bbox }) => ({
      own,
      ...first!.hypothesis,
      ...bbox.center.position,
    })),
    boxes.map(({ results: [first], bbox }) => ({
      own: header,
      ...first!.hypothesis,
      ...bbox.center.position,
    })),
  );
  // a box and its label for each detection, after one that deletes those of before
  assert.equal(received.markers.markers.length, 1 + 2 * boxes.length);
  for (const marker of received.markers.markers) assert.deepEqual(marker.header, header);
}

/** The occupied voxels that `bdc-occ frame` writes of the scene's frame file: centre, label and confidence, in the grid's order. */
async function voxelsOfFrameCommand(robot: Robot): Promise<readonly object[]> {
  const out = path.join(robot.graph.folder, 'frame');
  const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
  const args = ['frame', robot.scene.file, '--out', out, '--model', modelFile(), '--json'];
  await promisify(execFile)(process.execPath, ['--import', 'tsx', main, ...args]);
  const file = path.join(out, 'voxels.npz');
  const arrays = (await robot.receiver.request({ op: 'load_npz', file })) as Record<string, ArrayFile>;
  const [labels, observed] = [arrayBytes(arrays['semantics']!), arrayBytes(arrays['observed']!)];
  const confidence = new Float32Array(new Uint8Array(arrayBytes(arrays['confidence']!)).buffer);
  const engine = await loadEngine(modelFile());
  const { grid, occupancy } = engine.manifest;
  engine.dispose();
  const { shape, ...voxels } = new VoxelGrid(grid);
  const [, ny, nz] = shape;
  return Array.from(labels, (label, index) => ({ label, index }))
    .filter(({ label, index }) => observed[index] === 1 && label !== occupancy!.free)
    .map(({ label, index }) => {
      const cell = [Math.floor(index / (ny * nz)), Math.floor(index / nz) % ny, index % nz] as const;
      const [x, y, z] = cell.map((n, axis) =>
        Math.fround(voxels.min[axis]! + (n + 0.5) * voxels.cellSize[axis]!),
      );
      return { x, y, z, label, confidence: confidence[index] };
    });
}

describe('the node on a ROS 2 graph', function () {
  this.timeout(LIMIT_MS);
  let ros: Ros2Environment;
  let robot: Robot;

  before(function () {
    ros = requireRos2(this);
  });

  const end = async (): Promise<void> => {
    await robot?.graph.dispose();
  };

  describe('with six compressed images', () => {
    before(async () => {
      robot = await Robot.assemble(ros);
      await robot.startNode();
      await robot.receiveResults();
      await robot.startCameras();
      await robot.scene.publishTransforms(robot.cameras);
    });

    after(end);

    it('makes of six compressed images what the pipeline makes of them, on all four topics', async () => {
      await assertAsExpected(robot, await robot.nextResults());
    });

    it('publishes the voxels that "bdc-occ frame" writes of the same images', async () => {
      const { cloud } = await robot.nextResults();
      const points = readOccupiedVoxelsCloud({ ...cloud, data: arrayBytes(cloud.data) });
      assert.ok(points.length > 0);
      assert.deepEqual(
        points.map(({ x, y, z, label, confidence }) => ({ x, y, z, label, confidence })),
        await voxelsOfFrameCommand(robot),
      );
    });

    it('publishes with the types and QoS that it documents', async () => {
      for (const [topic, { type }] of Object.entries(RESULTS)) {
        const durability = topic.endsWith('grid') ? 'transient_local' : 'volatile';
        assert.deepEqual(await robot.receiver.request({ op: 'publisher_qos', topic }), [
          { type, reliability: 'reliable', durability },
        ]);
      }
    });

    it('gives the last grid to a subscriber that joins later', async () => {
      const { grid } = await robot.nextResults();
      const late = robot.graph.startPeer();
      const topic = '/bdc_occ/occupancy_grid';
      await late.subscribe(topic, RESULTS[topic].type, RESULTS[topic].qos);
      assert.deepEqual((await late.next<typeof grid>(topic)).header, grid.header);
    });
  });

  describe('with a robot of its own', () => {
    afterEach(end);

    it('makes of six raw images what the pipeline makes of them', async () => {
      robot = await Robot.assemble(ros, 'raw');
      await robot.startNode();
      await robot.receiveResults();
      await robot.startCameras();
      await robot.scene.publishTransforms(robot.cameras);
      await assertAsExpected(robot, await robot.nextResults());
    });

    it('goes on without a camera that never publishes, and names it', async () => {
      robot = await Robot.assemble(ros);
      const working = robot.scene.cameras.filter((camera) => camera !== 'CAM_BACK');
      await robot.startNode({ max_wait_ms: 2000, camera_timeout_ms: 25_000 });
      await robot.receiveResults();
      await robot.startCameras(working);
      await robot.scene.publishTransforms(robot.cameras);
      await assertAsExpected(robot, await robot.nextResults(working), working);
      await robot.node.waitForLog(
        /camera CAM_BACK: no image yet on \/cameras\/CAM_BACK\/image \(0 publishers/,
      );
    });

    it('names the frames of a missing transform, and works once it is there', async () => {
      robot = await Robot.assemble(ros);
      await robot.startNode();
      await robot.receiveResults();
      await robot.startCameras();
      await repeatUntil(robot.node.waitForLog(/no transform from "CAM_FRONT_optical" to "base_link"/), () =>
        robot.publishImages(),
      );
      await robot.scene.publishTransforms(robot.cameras);
      await assertAsExpected(robot, await robot.nextResults());
    });
  });
});
