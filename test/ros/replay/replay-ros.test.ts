import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { writeDrive } from '../../bag/drive-bag.js';
import { MemoryBag } from '../../bag/memory-bag.js';
import { Ros2Graph, requireRos2, type Ros2Environment } from '../ros2-graph.js';
import type { RunningNode } from '../running-node.js';

const MODEL = fileURLToPath(
  new URL('../../fixtures/golden/network-six-cameras/model.safetensors', import.meta.url),
);
const CAMERAS = ['CAM_FRONT', 'CAM_BACK'];
const FRAMES = 6;

describe('bdc-occ replay-ros', function () {
  this.timeout(120_000);
  let ros: Ros2Environment;
  let graph: Ros2Graph;
  let bag: string;

  before(function () {
    ros = requireRos2(this);
  });
  beforeEach(async () => {
    graph = new Ros2Graph(ros);
    bag = path.join(graph.folder, 'drive.mcap');
    const memory = new MemoryBag();
    await writeDrive(memory, { cameras: CAMERAS, frames: FRAMES });
    await writeFile(bag, memory.bytes);
  });
  afterEach(() => graph.dispose());

  async function replay(thresholds: object, ...args: readonly string[]): Promise<RunningNode> {
    const [expect, params] = ['thresholds.yaml', 'robot.yaml'].map((name) => path.join(graph.folder, name));
    await writeFile(expect!, stringify(thresholds));
    const camera = Object.fromEntries(
      CAMERAS.map((name) => [
        name,
        { image_topic: `/${name}/image_raw/compressed`, info_topic: `/${name}/camera_info` },
      ]),
    );
    const parameters = { cameras: CAMERAS, camera, max_wait_ms: 2000, threads: 1 };
    await writeFile(params!, stringify({ '/**': { ros__parameters: parameters } }));
    const files = ['--expect', expect!, '--params-file', params!, '--model', MODEL];
    // slowly: this machine may have much else to do, and a frame that is overtaken is dropped
    return graph.startProgram(['replay-ros', bag, ...files, '--rate', '0.2', ...args]);
  }

  it('plays a bag to the node and finds the thresholds kept', async () => {
    const junit = path.join(graph.folder, 'report.xml');
    const run = await replay(
      {
        frames: { received: { min: FRAMES, max: FRAMES }, processed: { min: FRAMES - 2 } },
        occupied_voxels: { min: { min: 1 } },
        latency_ms: { p50: { min: 0.1 } },
        faults: { max: 0 },
        regions: [{ name: 'all around', frames_with_voxels: { min: 1 } }],
      },
      ...['--junit', junit],
    );
    assert.deepEqual(await run.exit(), { code: 0, signal: null }, run.log);
    assert.match(run.log, /^passed +region all around: frames_with_voxels: expected at least 1, found 1$/m);
    assert.match(run.log, /^not measured faults/m);
    assert.match(run.log, /SIGTERM: shutting down/, 'the node ends in order');
    assert.match(await readFile(junit, 'utf8'), /<testsuites tests="6" failures="0" errors="0" skipped="1">/);
  });

  it('finds a missed threshold, in a namespace', async () => {
    const run = await replay({ occupied_voxels: { mean: { max: 0 } } }, '--node-name', '/robot/eyes');
    assert.deepEqual(await run.exit(), { code: 1, signal: null }, run.log);
    assert.match(run.log, /^failed +occupied_voxels\.mean: expected at most 0, found \d/m);
    assert.match(run.log, /\/robot\/eyes\/occupied_voxels/);
  });

  it('says so where the node does not start', async () => {
    const run = await replay({ faults: { max: 0 } }, '--params-file', '/nonexistent.yaml');
    assert.deepEqual(await run.exit(), { code: 2, signal: null }, run.log);
    assert.match(run.log, /the node ended \(exit code 2\) before the bag was over.*\[REPLAY_NODE_ENDED\]/);
  });
});
