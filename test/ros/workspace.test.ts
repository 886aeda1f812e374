import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { writeDrive } from '../bag/drive-bag.js';
import { MemoryBag } from '../bag/memory-bag.js';
import { requirePythonTools } from '../python-tools.js';
import { Ros2Graph, requireRos2, type Ros2Environment } from './ros2-graph.js';

const project = fileURLToPath(new URL('../../', import.meta.url));
/** Kept between runs: what has not changed is not installed again. */
const workspace = path.join(project, 'build/workspace');
const prefix = path.join(workspace, 'install/bdc_occ');
const BUILD_LIMIT_MS = 15 * 60_000;
const MODEL = path.join(project, 'test/fixtures/golden/network-six-cameras/model.safetensors');

describe('a workspace built with colcon', function () {
  this.timeout(120_000);
  let ros: Ros2Environment;
  /** As in a shell with the workspace's setup.bash sourced. */
  let env: Record<string, string>;

  before(function () {
    const tools = requirePythonTools(this);
    ros = requireRos2(this);
    this.timeout(BUILD_LIMIT_MS);
    const shell = { ...process.env, ...ros.env, NODE_PATH: '' };
    const python = spawnSync(ros.python, ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' });
    const rosBin = path.dirname(python.stdout.trim());
    // its python3 must be the one with ROS 2's packages
    const PATH = [rosBin, path.join(tools, 'bin'), process.env['PATH']].join(':');
    const built = spawnSync(
      'colcon',
      [
        ...['--log-base', path.join(workspace, 'log'), 'build', '--packages-select', 'bdc_occ'],
        ...['--base-paths', project, '--build-base', path.join(workspace, 'build')],
        ...['--install-base', path.join(workspace, 'install')],
        ...['--cmake-args', `-DPython3_EXECUTABLE=${python.stdout.trim()}`],
      ],
      { env: { ...shell, PATH }, encoding: 'utf8' },
    );
    assert.equal(built.status, 0, built.stdout + built.stderr);
    const sourced = `. ${path.join(workspace, 'install/local_setup.bash')} && env -0`;
    const lines = execFileSync('bash', ['-c', sourced], { env: { ...shell, PATH }, encoding: 'utf8' }).split(
      '\0',
    );
    env = Object.fromEntries(
      lines
        .filter(Boolean)
        .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
  });

  it('is found by ROS 2: ament index, executables, share', () => {
    assert.equal(env['AMENT_PREFIX_PATH']!.split(':')[0], prefix);
    assert.ok(existsSync(`${prefix}/share/ament_index/resource_index/packages/bdc_occ`));
    // ros2 run offers every executable that it finds below here
    assert.deepEqual(readdirSync(`${prefix}/lib/bdc_occ`).sort(), ['bag_player', 'occupancy_node']);
    for (const folder of ['config', 'launch'])
      assert.deepEqual(
        readdirSync(`${prefix}/share/bdc_occ/${folder}`),
        readdirSync(project + folder),
        folder,
      );
    assert.ok(
      readdirSync(`${prefix}/share/bdc_occ/models/edge`).some((name) => name.endsWith('.safetensors')),
    );
    assert.equal(
      readFileSync(`${prefix}/share/bdc_occ/package.xml`, 'utf8'),
      readFileSync(`${project}package.xml`, 'utf8'),
    );
  });

  it('holds what the node needs to run, and nothing that only tests need', () => {
    const modules = readdirSync(`${prefix}/share/bdc_occ/node_modules`);
    const { dependencies, devDependencies } = JSON.parse(
      readFileSync(`${project}package.json`, 'utf8'),
    ) as Record<'dependencies' | 'devDependencies', Readonly<Record<string, string>>>;
    for (const name of Object.keys(dependencies)) assert.ok(modules.includes(name.split('/')[0]!), name);
    assert.ok(modules.includes('rclnodejs'));
    for (const name of ['mocha', 'typescript', 'eslint'])
      assert.ok(name in devDependencies && !modules.includes(name), name);
    assert.ok(!modules.includes('onnxruntime-node'), "the benchmark's peer");
  });

  describe('on the graph', () => {
    let graph: Ros2Graph;
    beforeEach(() => (graph = new Ros2Graph(ros)));
    afterEach(() => graph.dispose());

    it('its occupancy_node makes voxels of what its bag_player plays', async () => {
      const bag = path.join(graph.folder, 'drive.mcap');
      const memory = new MemoryBag();
      await writeDrive(memory, { cameras: ['CAM_FRONT'], frames: 3 });
      await writeFile(bag, memory.bytes);
      const camera = {
        CAM_FRONT: {
          image_topic: '/CAM_FRONT/image_raw/compressed',
          info_topic: '/CAM_FRONT/camera_info',
        },
      };
      const file = path.join(graph.folder, 'robot.yaml');
      await writeFile(
        file,
        stringify({ '/**': { ros__parameters: { cameras: ['CAM_FRONT'], camera, model: MODEL } } }),
      );
      const peer = graph.startPeer();
      await peer.subscribe('/bdc_occ/occupied_voxels', 'sensor_msgs/msg/PointCloud2');
      const node = graph.startExecutable(
        `${prefix}/lib/bdc_occ/occupancy_node`,
        ['--ros-args', '--params-file', file],
        env,
      );
      await node.waitForLog(/ready: model/);
      await peer.waitMatched();
      const args = [bag, '--wait-for-images', '--loop', '--rate', '0.5'];
      const player = graph.startExecutable(`${prefix}/lib/bdc_occ/bag_player`, args, env);
      const cloud = await peer.next<{
        readonly width: number;
        readonly header: { readonly frame_id: string };
      }>('/bdc_occ/occupied_voxels');
      assert.ok(cloud.width > 0);
      assert.equal(cloud.header.frame_id, 'base_link');
      for (const running of [player, node]) {
        running.kill('SIGINT');
        assert.deepEqual(await running.exit(), { code: 0, signal: null }, running.log);
      }
    });
  });
});
