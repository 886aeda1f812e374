import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';

/** Whether this system can lower the memory of a process that runs. */
function canLimitMemory(): boolean {
  return process.platform === 'linux' && spawnSync('prlimit', ['--version']).error === undefined;
}

/** In a process of its own: what it asks for is 1 GiB for each of a grid's arrays, and it may have half of that. */
const PROGRAM = `
  import { execFileSync } from 'node:child_process';
  import { readFileSync } from 'node:fs';
  import { fromNativeError } from './src/engine/native.ts';
  import { loadNativeSimulation } from './src/simulation/native.ts';

  const pose = Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0);
  const native = loadNativeSimulation();
  const world = await native.buildWorld({
    primitives: new Float32Array(),
    roads: new Float32Array(),
    patches: new Float32Array(),
    ground: new Float32Array(16).fill(1),
    heights: new Float32Array(4),
    environment: new Float32Array(19),
  });
  const kilobytes = Number(/^VmSize:\\s*(\\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
  const bytes = (kilobytes + 512 * 1024) * 1024;
  execFileSync('prlimit', ['--pid', String(process.pid), '--as=' + bytes + ':']);
  try {
    await native.voxelize({
      world,
      worldFromEgo: pose,
      grid: Float32Array.of(0, 0, 0, 1, 1, 1, 1024, 1024, 1024),
      cameras: [],
      worldFromLidar: pose,
      points: new Float32Array(),
    });
  } catch (error) {
    const { name, kind, code, message } = fromNativeError(error);
    console.log(JSON.stringify({ name, kind, code, message }));
  }
`;

describe('A simulation that runs out of memory', function () {
  this.timeout(60_000);

  it('rejects with an error of the environment', function () {
    if (!canLimitMemory()) this.skip();
    const options = ['--import', 'tsx', '--input-type=module', '--eval', PROGRAM];
    const output = execFileSync(process.execPath, options, { encoding: 'utf8' });
    assert.deepEqual(JSON.parse(output), {
      name: 'EnvironmentError',
      kind: 'environment',
      code: 'OUT_OF_MEMORY',
      message: 'not enough memory: close other programs, or ask for less at a time',
    });
  });
});
