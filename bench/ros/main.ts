import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Command, Option } from 'commander';
import { stringify } from 'yaml';
import { number, positiveInteger, positiveNumber } from '../../src/cli/options.js';
import { markdownTable } from '../report.js';
import {
  loadFigures,
  type LoadFigures,
  type MonitorReport,
  type PeerReport,
  type Spread,
} from './figures.js';
import { ProcessUsage } from './process-usage.js';
import { loadScene, streetShots, type LoadScene, type StreetShots, type Transport } from './scene.js';

interface Options {
  readonly transport: Transport | 'both';
  readonly seconds: number;
  readonly warmUp: number;
  readonly rate: number;
  readonly width: number;
  readonly height: number;
  readonly threads: number;
  readonly json: boolean;
}

const project = fileURLToPath(new URL('../../', import.meta.url));

/** As often as frames come, so that each frame's stages are told. */
const DIAGNOSTICS_PERIOD_S = 0.1;
/** Of the node's image subscriptions: the default of `qos.images.depth`. */
const QUEUE_DEPTH = 5;
/** Beside warm-up and measuring: start of the processes, matching, their end. Past it the run is given up. */
const PATIENCE_S = 90;
/** What a process may take to end before it is killed. */
const END_LIMIT_MS = 5000;

/** The environment of scripts/ros2-environment.mjs, in a domain of its own. */
function graphEnvironment(): { readonly python: string; readonly env: NodeJS.ProcessEnv } {
  const script = path.join(project, 'scripts/ros2-environment.mjs');
  const { status, stdout } = spawnSync(process.execPath, [script, '--json'], {
    ...{ encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
  });
  if (status !== 0) throw new Error('this benchmark needs ROS 2, see above');
  const ros = JSON.parse(stdout) as {
    readonly python: string;
    readonly env: Readonly<Record<string, string>>;
  };
  return {
    python: ros.python,
    env: {
      ...process.env,
      ...ros.env,
      ROS_DOMAIN_ID: String(1 + (process.pid % 100)),
      ROS_AUTOMATIC_DISCOVERY_RANGE: 'LOCALHOST',
      FASTRTPS_DEFAULT_PROFILES_FILE: path.join(project, 'config/fastdds_large_images.xml'),
    },
  };
}

function nodeParameters({ cameras }: LoadScene, transport: Transport, threads: number): string {
  const camera = Object.fromEntries(
    cameras.map(({ name, image_topic, info_topic }) => [name, { image_topic, info_topic, transport }]),
  );
  const parameters = {
    ...{ cameras: cameras.map(({ name }) => name), camera, threads },
    anchor_camera: 'front',
    diagnostics_period_s: DIAGNOSTICS_PERIOD_S,
    qos: { images: { depth: QUEUE_DEPTH } },
  };
  return stringify({ '/**': { ros__parameters: parameters } });
}

/** The program that `ros2 run` starts, with its settings of memory, in a place as colcon installs it. */
async function installedLauncher(folder: string): Promise<string> {
  const launcher = path.join(folder, 'lib/bdc_occ/occupancy_node');
  await mkdir(path.dirname(launcher), { recursive: true });
  await copyFile(path.join(project, 'scripts/occupancy_node'), launcher);
  await mkdir(path.join(folder, 'share'));
  await symlink(project, path.join(folder, 'share/bdc_occ'));
  return launcher;
}

/** One run: six cameras with this transport, for so many seconds. */
async function measure(
  shots: StreetShots,
  transport: Transport,
  { seconds, warmUp, rate, threads }: Options,
  folder: string,
): Promise<LoadFigures> {
  const { python, env } = graphEnvironment();
  const scene = await loadScene(shots, folder, transport);
  const file = (name: string): string => path.join(folder, name);
  await writeFile(file('robot.yaml'), nodeParameters(scene, transport, threads));
  await writeFile(file('load.json'), JSON.stringify({ ...scene, transport, rate, seconds, warm_up: warmUp }));
  const monitorFile = file('monitor.json');
  const preload = path.join(project, 'bench/ros/node-monitor.mjs');
  const node = spawn(await installedLauncher(folder), ['--ros-args', '--params-file', file('robot.yaml')], {
    env: {
      ...env,
      NODE_OPTIONS: `--import ${preload}`,
      BDC_NODE_MONITOR: monitorFile,
      ROS_LOG_DIR: folder,
    },
  });
  const log = createWriteStream(file('node.log'));
  node.stdout.pipe(log, { end: false });
  node.stderr.pipe(log, { end: false });
  const peer = spawn(python, [path.join(project, 'bench/ros/load_peer.py'), file('load.json')], {
    env: { ...env, ROS_LOG_DIR: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const giveUp = setTimeout(() => peer.kill('SIGKILL'), (warmUp + seconds + PATIENCE_S) * 1000);
  try {
    let usage: ProcessUsage | undefined;
    let report: PeerReport | undefined;
    for await (const line of createInterface({ input: peer.stdout })) {
      if (line === 'measuring') {
        node.kill('SIGUSR2');
        usage = new ProcessUsage(node.pid!);
      } else if (line === 'measured') node.kill('SIGUSR2');
      else report = JSON.parse(line) as PeerReport;
    }
    if (usage === undefined || report === undefined)
      throw new Error(
        `no report within ${warmUp + seconds + PATIENCE_S} s; the node's log:\n${await readFile(file('node.log'), 'utf8')}`,
      );
    const used = usage.stop();
    await end(node);
    const monitor = JSON.parse(await readFile(monitorFile, 'utf8')) as MonitorReport;
    const imageBytes = scene.cameras.reduce((sum, { bytes }) => sum + bytes, 0) / scene.cameras.length;
    return loadFigures(report, {
      ...{ transport, seconds, rate, imageBytes, usage: used, monitor },
      depth: QUEUE_DEPTH,
      imageTopics: scene.cameras.map(({ image_topic }) => image_topic),
    });
  } finally {
    clearTimeout(giveUp);
    await Promise.all([end(node), end(peer)]);
    log.end();
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const kill = setTimeout(() => child.kill('SIGKILL'), END_LIMIT_MS);
  await ended;
  clearTimeout(kill);
}

function table(runs: readonly LoadFigures[]): string {
  const spread = ({ p50, p95, p99 }: Spread): string =>
    [p50, p95, p99].map((value) => value.toFixed(1)).join(' / ');
  const rows: readonly (readonly [string, (run: LoadFigures) => string])[] = [
    ['bytes of an image', (run) => `${(run.image_bytes / 1e6).toFixed(2)} MB`],
    ['images sent', (run) => String(run.sent)],
    ['… lost in transport', (run) => String(run.lost)],
    ['… overwritten by newer ones in the queue', (run) => String(run.overwritten)],
    ['frames processed', (run) => String(run.processed)],
    ['frames dropped for newer ones', (run) => String(run.dropped)],
    ['age of results at the subscriber, ms', (run) => spread(run.age_ms)],
    ['decode + network, ms', (run) => spread(run.pipeline_ms)],
    ['overhead beyond these, ms', (run) => spread(run.overhead_ms)],
    ['CPU, % of one core', (run) => run.node_cpu_percent.toFixed(0)],
    ['resident memory, MB', (run) => run.rss_mb.toFixed(0)],
    ['… of it shared with DDS', (run) => run.rss_shared_mb.toFixed(0)],
    ['… growth', (run) => run.rss_growth_mb.toFixed(0)],
    ['event loop kept, ms at most', (run) => run.event_loop_block_ms.max.toFixed(1)],
    ['… late, with the wait for a core', (run) => run.event_loop_late_ms.max.toFixed(1)],
    [
      '… kept at start-up / shutdown',
      ({ event_loop_block_max_ms: { start_up, shutdown } }) =>
        `${start_up.toFixed(0)} / ${shutdown.toFixed(0)}`,
    ],
  ];
  return markdownTable(
    ['(p50 / p95 / p99)', ...runs.map(({ transport }) => transport)],
    rows.map(([name, cell]) => [name, ...runs.map(cell)]),
  );
}

const program = new Command('bench:ros')
  .description(
    'the node under load on a real ROS 2 graph: six cameras, the shipped model, the shipped DDS profile',
  )
  .addOption(
    new Option('--transport <kind>', 'of the images').choices(['raw', 'compressed', 'both']).default('both'),
  )
  .option('--seconds <s>', 'that are measured', positiveNumber, 60)
  .option('--warm-up <s>', 'before that', number, 5)
  .option('--rate <hz>', 'images of each camera in a second', positiveNumber, 10)
  .option('--width <pixels>', 'of the images', positiveInteger, 1600)
  .option('--height <pixels>', 'of the images', positiveInteger, 900)
  .option('--threads <n>', 'of the node (default: all cores)', positiveInteger)
  .option('--json', 'print one JSON object', false)
  .parse();
const options = { threads: 0, ...program.opts<Omit<Options, 'threads'>>() };

const runs: LoadFigures[] = [];
const transports = options.transport === 'both' ? (['compressed', 'raw'] as const) : [options.transport];
const folder = await mkdtemp(path.join(tmpdir(), 'bdc-bench-ros-'));
try {
  const shots = await streetShots(folder, options);
  for (const transport of transports) {
    const ownFolder = path.join(folder, transport);
    await mkdir(ownFolder);
    runs.push(await measure(shots, transport, options, ownFolder));
  }
} finally {
  await rm(folder, { recursive: true });
}
const machine = {
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: availableParallelism(),
  /** Of the last minute, this benchmark included: more than the cores means that something else was running. */
  load_average: loadavg()[0],
};
if (options.json) console.log(JSON.stringify({ ...machine, runs }, null, 2));
else
  console.log(
    `${machine.cpu}, ${machine.cores} cores, load average ${machine.load_average?.toFixed(1)}\n\n${table(runs)}`,
  );
