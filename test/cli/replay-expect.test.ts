import assert from 'node:assert/strict';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ReplayReport } from '../../src/cli/replay-summary.js';
import { writeDrive } from '../bag/drive-bag.js';
import { MemoryBag } from '../bag/memory-bag.js';
import { runProgram, type ProgramEnd } from './run-program.js';

const file = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const MODEL = file('test/fixtures/golden/network-six-cameras/model.safetensors');

describe('bdc-occ replay --expect', function () {
  this.timeout(60_000);
  let folder: string;
  let bag: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bdc-expect-'));
    bag = join(folder, 'drive.mcap');
    const memory = new MemoryBag();
    await writeDrive(memory, { frames: 3 });
    await writeFile(bag, memory.bytes);
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function replay(thresholds: string, ...args: readonly string[]): Promise<ProgramEnd> {
    const path = join(folder, 'thresholds.yaml');
    await writeFile(path, thresholds);
    return runProgram('replay', bag, '--expect', path, '--model', MODEL, '--threads', '1', ...args);
  }

  it('ends with 0 where all thresholds are kept, and writes no bag', async () => {
    const { code, stdout } = await replay(
      'frames: {processed: {min: 3, max: 3}}\nfaults: {max: 0}',
      '--json',
    );
    assert.equal(code, 0);
    const report = JSON.parse(stdout) as ReplayReport;
    assert.equal(report.out, null);
    assert.deepEqual(report.checks, [
      { name: 'frames.processed', expected: { min: 3, max: 3 }, found: 3, verdict: 'passed' },
      { name: 'faults', expected: { max: 0 }, found: 0, verdict: 'passed' },
    ]);
    assert.deepEqual((await readdir(folder)).sort(), ['drive.mcap', 'thresholds.yaml']);
  });

  it('ends with 1 where one is missed, says which, and writes JUnit XML', async () => {
    const junit = join(folder, 'report.xml');
    const thresholds = 'frames: {processed: {min: 4}}\noccupied_voxels: {mean: {min: 1}}';
    const { code, stdout, stderr } = await replay(thresholds, '--junit', junit);
    assert.equal(code, 1, stderr);
    assert.match(stdout, /^failed +frames\.processed: expected at least 4, found 3$/m);
    assert.match(stdout, /^passed +occupied_voxels\.mean: expected at least 1, found \d/m);
    assert.match(await readFile(junit, 'utf8'), /<testsuites tests="2" failures="1"/);
  });

  it('counts the voxels that it would publish', async () => {
    const out = join(folder, 'out.mcap');
    const { code, stdout, stderr } = await replay(
      'occupied_voxels: {mean: {min: 0}}',
      '--json',
      '--out',
      out,
    );
    assert.equal(code, 0, stderr);
    const { checks, occupied_voxels_mean: mean } = JSON.parse(stdout) as ReplayReport;
    assert.ok(mean! > 0);
    assert.equal(checks![0]!.found, mean);
  });

  it('ends with 2 for a file that is wrong, and where there is nothing to do', async () => {
    const wrong = await replay('frames: {proccessed: {min: 4}}');
    assert.equal(wrong.code, 2);
    assert.match(
      wrong.stderr,
      /frames has "proccessed", expected only received, processed.*\[THRESHOLDS_INVALID\]/,
    );
    const nothing = await runProgram('replay', bag);
    assert.equal(nothing.code, 2);
    assert.match(nothing.stderr, /--out FILE, --expect FILE or both/);
    const junit = await runProgram('replay', bag, '--out', join(folder, 'o.mcap'), '--junit', 'x.xml');
    assert.match(junit.stderr, /REPLAY_NOTHING_TO_CHECK/);
  });

  it('ends with 2 where the JUnit file cannot be written', async () => {
    const { code, stderr } = await replay('faults: {max: 0}', '--junit', join(bag, 'report.xml'));
    assert.equal(code, 2);
    assert.match(stderr, /report\.xml cannot be written: .*\[OUTPUT_NOT_WRITABLE\]/);
  });

  it('keeps the thresholds of config/replay_thresholds.yaml with the drive that it names', async () => {
    const thresholds = file('config/replay_thresholds.yaml');
    const [, command] = /"bdc-occ (simulate [^"]+)"/.exec(
      (await readFile(thresholds, 'utf8')).replaceAll('\n# ', ' '),
    )!;
    const args = command!.split(' ').map((word) => (word === 'drive.mcap' ? bag : word));
    const simulated = await runProgram(...args);
    assert.equal(simulated.code, 0, simulated.stderr);
    const { code, stdout, stderr } = await runProgram('replay', bag, '--expect', thresholds);
    assert.equal(code, 0, stdout + stderr);
  });
});
