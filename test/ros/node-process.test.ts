import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { stringify } from 'yaml';
import { modelFile } from './frame-file.js';
import { Ros2Graph, requireRos2 } from './ros2-graph.js';
import type { Ros2Environment } from './ros2-graph.js';

const LIMIT_MS = 120_000;
const WRONG_INPUT = { code: 2, signal: null };

describe('bdc-occ node as a process', function () {
  this.timeout(LIMIT_MS);
  let ros: Ros2Environment;
  let graph: Ros2Graph;

  before(function () {
    ros = requireRos2(this);
  });

  beforeEach(() => {
    graph = new Ros2Graph(ros);
  });

  afterEach(() => graph.dispose());

  const parameterFile = (key: string, parameters: object): string => {
    const file = path.join(graph.folder, 'parameters.yaml');
    writeFileSync(file, stringify({ [key]: { ros__parameters: parameters } }));
    return file;
  };

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`ends in order on ${signal}, with exit code 0`, async () => {
      const node = graph.startNode(['--ros-args', '-p', `model:=${modelFile()}`]);
      await node.waitForLog(/ready: model/);
      node.kill(signal);
      assert.deepEqual(await node.exit(), { code: 0, signal: null }, node.log);
      assert.match(node.log, new RegExp(`${signal}: shutting down`));
    });
  }

  it('says what to source where there is no ROS 2, with exit code 2', async () => {
    const node = graph.startNode([], { ROS_DISTRO: '', AMENT_PREFIX_PATH: '' });
    assert.deepEqual(await node.exit(), WRONG_INPUT);
    assert.match(
      node.log,
      /expected a sourced ROS 2.*source \/opt\/ros\/jazzy\/setup.bash.*\[ROS_NOT_SOURCED\]/,
    );
  });

  it('says which message package a ROS 2 lacks', async () => {
    const prefix = path.join(graph.folder, 'prefix');
    mkdirSync(path.join(prefix, 'lib'), { recursive: true });
    writeFileSync(path.join(prefix, 'lib/librcl.so'), '');
    const node = graph.startNode([], { AMENT_PREFIX_PATH: prefix });
    assert.deepEqual(await node.exit(), WRONG_INPUT);
    assert.match(node.log, /vision_msgs.*apt install ros-jazzy-vision-msgs.*\[ROS_PACKAGE_MISSING\]/);
  });

  it('leaves rclnodejs alone where its libraries cannot be loaded', async () => {
    const node = graph.startNode([], { LD_LIBRARY_PATH: '' });
    const { code } = await node.exit();
    // a sourced ROS 2 may be found by other means
    if (ros.kind === 'private') assert.equal(code, 2, node.log);
    if (code === 2) assert.match(node.log, /LD_LIBRARY_PATH.*\[RCLNODEJS_BROKEN\]/);
    assert.doesNotMatch(node.log, /rebuild\b.*gyp|gyp info/);
  });

  it('says what to set where ROS 2 finds no folder for its log', async () => {
    const node = graph.startNode([], { HOME: '', ROS_LOG_DIR: '' });
    assert.deepEqual(await node.exit(), WRONG_INPUT);
    assert.match(node.log, /refused to start: .*logging directory.*; set HOME or ROS_LOG_DIR to a folder/s);
  });

  it('refuses to start with a parameter of a wrong type, and says which', async () => {
    const node = graph.startNode(['--ros-args', '--params-file', parameterFile('/**', { threads: 'many' })]);
    assert.deepEqual(await node.exit(), WRONG_INPUT);
    assert.match(node.log, /parameter threads: expected a whole number, found "many".*\[PARAMETER_INVALID\]/);
  });

  it('refuses to start with a value out of range', async () => {
    const node = graph.startNode(['--ros-args', '-p', 'max_spread_ms:=-1.0']);
    assert.deepEqual(await node.exit(), WRONG_INPUT);
    assert.match(node.log, /parameter max_spread_ms: expected a number from 0 to 10000, found -1/);
  });

  it('refuses to start with an anchor that is no camera', async () => {
    const node = graph.startNode(['--ros-args', '-p', 'anchor_camera:=top']);
    assert.deepEqual(await node.exit(), WRONG_INPUT);
    assert.match(node.log, /parameter anchor_camera: expected one of front, .*, found "top"/);
  });

  it('refuses a parameter file that is not there, and arguments that are not for ROS', async () => {
    const missing = graph.startNode(['--ros-args', '--params-file', '/nonexistent.yaml']);
    assert.deepEqual(await missing.exit(), WRONG_INPUT);
    assert.match(missing.log, /Error opening YAML file.*\[ROS_ARGUMENTS\]/);
    const extra = graph.startNode(['front', '--ros-args', '-p', 'threads:=1']);
    assert.deepEqual(await extra.exit(), WRONG_INPUT);
    assert.match(extra.log, /expected only ROS arguments.*found front/);
  });

  it('refuses a model file that is none', async () => {
    const model = path.join(graph.folder, 'broken.safetensors');
    writeFileSync(model, 'not a model');
    const node = graph.startNode(['--ros-args', '-p', `model:=${model}`]);
    assert.deepEqual(await node.exit(), WRONG_INPUT);
    assert.match(node.log, /broken\.safetensors/);
  });

  it('takes parameters under its full name, in a namespace', async () => {
    const file = parameterFile('/robot/bdc_occ', { model: modelFile(), threads: 1 });
    const node = graph.startNode(['--ros-args', '-r', '__ns:=/robot', '--params-file', file]);
    await node.waitForLog(/ready: model .* 1 threads/);
    assert.match(node.log, /\/robot\/camera\/front\/camera_info/);
    assert.match(node.log, /publishes \/robot\/bdc_occ\/occupied_voxels/);
  });
});
