import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Peer } from './peer.js';
import { program } from './program.js';
import { RunningNode } from './running-node.js';

const project = fileURLToPath(new URL('../..', import.meta.url));
const NOT_AVAILABLE = 3;
const END_LIMIT_MS = 10_000;

export interface Ros2Environment {
  readonly kind: 'sourced' | 'private';
  readonly python: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * The ROS 2 that the tests run on; builds the private one at its first use on a machine, which takes minutes. Skips the calling suite with
 * the reason where ROS 2 cannot be had, and fails instead if CI is set.
 */
export function requireRos2(context: Mocha.Context): Ros2Environment {
  context.timeout(20 * 60_000);
  const script = path.join(project, 'scripts/ros2-environment.mjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, '--json'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', process.stderr.isTTY ? 'inherit' : 'pipe'],
  });
  if (status === 0) return JSON.parse(stdout) as Ros2Environment;
  if (status === NOT_AVAILABLE && !process.env['CI']) {
    console.log(`      no ROS 2 here, graph tests are skipped: ${stderr ?? ''}`);
    return context.skip();
  }
  throw new Error(`ROS 2 is needed for these tests: ${stderr ?? 'see above'}`);
}

/**
 * Tests that run at the same time on one machine must not hear each other: a domain for each graph. A lock file says whose it is; one whose
 * process has ended is free again. Up to 101 need no port above those that Linux gives out (docs.ros.org, "The ROS_DOMAIN_ID").
 */
const LAST_DOMAIN = 101;

function takeDomain(): number {
  const start = process.pid % LAST_DOMAIN;
  for (let i = 0; i < LAST_DOMAIN; i++) {
    const domain = 1 + ((start + i) % LAST_DOMAIN);
    const lock = domainLock(domain);
    if (existsSync(lock) && !isAlive(Number(readFileSync(lock, 'utf8')))) rmSync(lock, { force: true });
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      return domain;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  throw new Error(`all ${LAST_DOMAIN} ROS domains are taken by other tests`);
}

const domainLock = (domain: number): string => path.join(tmpdir(), `bdc-occ-ros-domain-${domain}.lock`);

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** One graph of its own: processes that only hear each other, and a folder for their files. `dispose` ends them all. */
export class Ros2Graph {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'bdc-occ-ros-'));
  readonly #ros: Ros2Environment;
  readonly #env: NodeJS.ProcessEnv;
  readonly #children: ChildProcess[] = [];
  readonly #nodes: RunningNode[] = [];
  readonly #domain = takeDomain();
  #isDisposed = false;

  constructor(ros: Ros2Environment) {
    this.#ros = ros;
    this.#env = {
      ...process.env,
      ...ros.env,
      ROS_DOMAIN_ID: String(this.#domain),
      ROS_AUTOMATIC_DISCOVERY_RANGE: 'LOCALHOST',
      ROS_LOG_DIR: path.join(this.folder, 'log'),
      // with the default shared memory raw images get lost
      FASTRTPS_DEFAULT_PROFILES_FILE: path.join(project, 'config/fastdds_large_images.xml'),
    };
  }

  startPeer(): Peer {
    const files = mkdtempSync(path.join(this.folder, 'peer-'));
    const child = this.#spawn(this.#ros.python, [path.join(project, 'test/ros/peer.py'), files]);
    return new Peer(child, () =>
      this.#nodes.map(({ logTail }) => `the log of a node ends with\n${logTail}`).join('\n'),
    );
  }

  /**
   * `bdc-occ node` with these arguments.
   * @param preload a module that is loaded before the program, to make happen from inside what cannot be provoked from outside
   */
  startNode(args: readonly string[], env: NodeJS.ProcessEnv = {}, preload?: string): RunningNode {
    return this.startProgram(['node', ...args], env, preload);
  }

  /** `bdc-occ` with these arguments. */
  startProgram(args: readonly string[], env: NodeJS.ProcessEnv = {}, preload?: string): RunningNode {
    const imports = preload === undefined ? [] : ['--import', 'tsx', '--import', preload];
    return this.startExecutable(process.execPath, [...imports, program(), ...args], env);
  }

  /** Any other program, for example an installed one. */
  startExecutable(file: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): RunningNode {
    const node = new RunningNode(this.#spawn(file, args, env));
    this.#nodes.push(node);
    return node;
  }

  /** Asks every process to end, since killed ones leave their shared memory behind; kills those that do not. */
  async dispose(): Promise<void> {
    // the domain may be another graph's already
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    const running = this.#children.filter((child) => child.exitCode === null && child.signalCode === null);
    await Promise.all(
      running.map(async (child) => {
        const ended = once(child, 'exit');
        // ends a rclpy peer; the others take the signal
        child.stdin!.end();
        if (child.spawnfile !== this.#ros.python) child.kill('SIGTERM');
        const patience = setTimeout(() => child.kill('SIGKILL'), END_LIMIT_MS);
        await ended;
        clearTimeout(patience);
      }),
    );
    rmSync(this.folder, { recursive: true, force: true });
    rmSync(domainLock(this.#domain), { force: true });
  }

  #spawn(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
    const child = spawn(command, args, { cwd: project, env: { ...this.#env, ...env } });
    this.#children.push(child);
    return child;
  }
}
