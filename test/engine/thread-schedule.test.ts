import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { parseCoreList } from '../../src/engine/core-list.js';
import { loadEngine } from '../../src/engine/load-engine.js';
import { shippedModel } from '../../src/engine/shipped-model.js';
import type { EngineOptions } from '../../src/engine/types.js';

const CAP_SYS_NICE = 23n;
const SCHED_FIFO = 1;

interface Worker {
  readonly cores: string;
  readonly nice: number;
  readonly realtimePriority: number;
  readonly policy: number;
  /** Nanoseconds on a core so far. */
  readonly cpuTime: number;
}

/** The threads of all engines of this process, as the kernel sees them. */
function workers(): readonly Worker[] {
  const tasks = readdirSync('/proc/self/task').map((task) => `/proc/self/task/${task}`);
  return tasks
    .filter((task) => readFileSync(`${task}/comm`, 'utf8').trim() === 'bdc-worker')
    .map((task) => {
      const [, cores] = /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync(`${task}/status`, 'utf8'))!;
      // proc(5): what follows the name in parentheses begins with field 3
      const fields = readFileSync(`${task}/stat`, 'utf8').split(') ')[1]!.split(' ').map(Number);
      return {
        cores: cores!,
        nice: fields[19 - 3]!,
        realtimePriority: fields[40 - 3]!,
        policy: fields[41 - 3]!,
        cpuTime: Number(readFileSync(`${task}/schedstat`, 'utf8').split(' ')[0]),
      };
    });
}

const allowed = (): readonly number[] => {
  const [, list] = /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))!;
  return parseCoreList(list!);
};

const mayRaisePriority = (): boolean => {
  const [, mask] = /^CapEff:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))!;
  return ((BigInt(`0x${mask}`) >> CAP_SYS_NICE) & 1n) === 1n;
};

async function withEngine(
  options: EngineOptions,
  body: (engine: Awaited<ReturnType<typeof loadEngine>>) => Promise<void> | void,
): Promise<void> {
  const engine = await loadEngine(shippedModel(), { logits: false, ...options });
  try {
    await body(engine);
  } finally {
    engine.dispose();
  }
}

describe('parseCoreList', () => {
  it('reads what taskset reads', () => {
    assert.deepEqual(parseCoreList('0,2-4, 7'), [0, 2, 3, 4, 7]);
    assert.deepEqual(parseCoreList(''), []);
  });

  for (const text of ['x', '-1', '3-1', '1,1', '0-2,2', '1024', '1,', '1.5']) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => parseCoreList(text), RangeError));
  }
});

describe('threads of an engine', function () {
  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  it('are pinned to the cores of affinity in turn, as many as there are cores', async () => {
    const cores = allowed();
    await withEngine({ affinity: cores }, (engine) => {
      assert.equal(engine.threads, cores.length);
      assert.deepEqual(engine.warnings, []);
      assert.deepEqual(
        workers()
          .map((worker) => worker.cores)
          .sort(),
        cores.map(String).sort(),
      );
    });
    const last = cores.at(-1)!;
    await withEngine({ affinity: [last], threads: 3 }, (engine) => {
      assert.equal(engine.threads, 3);
      assert.deepEqual(
        workers().map((worker) => worker.cores),
        [last, last, last].map(String),
      );
    });
  });

  it('have a core each where there is a thread for every core, else none of their own', async function () {
    const cores = allowed();
    if (cores.length < 2) this.skip();
    await withEngine({}, () =>
      assert.deepEqual(
        workers()
          .map((worker) => worker.cores)
          .sort(),
        cores.map(String).sort(),
      ),
    );
    await withEngine({ threads: cores.length + 1 }, () => {
      assert.equal(workers().length, cores.length);
      for (const worker of workers()) assert.deepEqual(parseCoreList(worker.cores), cores);
    });
  });

  it('have the nice value that was asked for, and only they', async () => {
    await withEngine({ threads: 2, nice: 7 }, () => {
      assert.deepEqual(
        workers().map(({ nice }) => nice),
        [7, 7],
      );
      const self = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]!.split(' ');
      assert.notEqual(Number(self[19 - 3]), 7);
    });
  });

  it('run under SCHED_FIFO where that is allowed', async function () {
    if (!mayRaisePriority()) this.skip();
    await withEngine({ threads: 2, realtimePriority: 3 }, (engine) => {
      assert.deepEqual(engine.warnings, []);
      for (const { policy, realtimePriority } of workers()) {
        assert.deepEqual([policy, realtimePriority], [SCHED_FIFO, 3]);
      }
      assert.equal(workers().length, 2);
    });
  });

  it('go on without a core that is not there, and say so', async () => {
    await withEngine({ affinity: [1023] }, (engine) => {
      assert.equal(engine.warnings.length, 1);
      assert.match(engine.warnings[0]!, /thread 0 can't be pinned to core 1023: .*taskset/);
    });
  });

  it('go on without a priority that is not allowed, and say so', function () {
    const script = `
      import { loadEngine } from './src/engine/load-engine.ts';
      import { shippedModel } from './src/engine/shipped-model.ts';
      const engine = await loadEngine(shippedModel(), { threads: 1, nice: -5, realtimePriority: 3 });
      console.log(JSON.stringify(engine.warnings));
      engine.dispose();`;
    const node = [process.execPath, '--import=tsx', '--input-type=module', '-e', script];
    const command = mayRaisePriority() ? ['setpriv', '--bounding-set=-sys_nice', ...node] : node;
    const { stdout, stderr, error } = spawnSync(command[0]!, command.slice(1), {
      cwd: new URL('../..', import.meta.url),
      encoding: 'utf8',
    });
    if (error !== undefined) this.skip(); // no setpriv
    const warnings = JSON.parse(stdout || `"${stderr}"`) as string[];
    assert.equal(warnings.length, 2, stdout);
    assert.match(warnings[0]!, /thread 0 can't have nice value -5: .*CAP_SYS_NICE/);
    assert.match(warnings[1]!, /thread 0 can't have SCHED_FIFO priority 3: .*LimitRTPRIO/);
  });

  it('take no time of a core between frames', async () => {
    await withEngine({ threads: 4, nice: 1 }, async (engine) => {
      const { width, height, cameras } = engine.manifest.input;
      const [h, w] = engine.featureSize!;
      const rays = new Float32Array(cameras * h * w * 3).fill(0.5);
      await engine.setRig({ cameras, rays, origins: new Float32Array(cameras * 3) });
      await engine.run(Array.from({ length: cameras }, () => new Uint8Array(width * height * 3)));
      await sleep(50); // past the spinning
      const before = workers().map(({ cpuTime }) => cpuTime);
      await sleep(2000);
      const after = workers().map(({ cpuTime }) => cpuTime);
      assert.equal(before.length, 4);
      assert.ok(before.some((time) => time > 0));
      assert.deepEqual(after, before);
    });
  });

  for (const [name, options] of [
    ['affinity', { affinity: [0.5] }],
    ['nice', { nice: 20 }],
    ['realtimePriority', { realtimePriority: 0 }],
  ] as const) {
    it(`refuses a bad ${name}`, async () => {
      await assert.rejects(loadEngine(shippedModel(), options), {
        code: 'ENGINE_OPTION',
        message: new RegExp(`engine ${name}: expected an integer`),
      });
    });
  }
});
