import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { MAIN, runProgram } from './run-program.js';

describe('bdc-occ simulate', function () {
  this.timeout(600_000);
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bdc-simulate-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const command = (out: string, scenes: number): readonly string[] => [
    ...['simulate', out, '--format', 'nuscenes', '--scenes', String(scenes), '--seed', '4'],
    ...['--image-size', '48x16', '--samples-per-pixel', '1'],
  ];

  it('goes on after kill -9 and ends with the bytes of an undisturbed run', async () => {
    const scenes = 6;
    const [whole, killed] = [join(folder, 'whole'), join(folder, 'killed')];
    assert.equal((await runProgram(...command(whole, scenes))).code, 0);

    const child = spawn(process.execPath, ['--import', 'tsx', MAIN, ...command(killed, scenes)], {
      stdio: 'ignore',
    });
    const ended = once(child, 'exit');
    while (child.exitCode === null && (await completeScenes(killed)) === 0) await setTimeout(20);
    child.kill('SIGKILL');
    const [, signal] = (await ended) as [number | null, string | null];
    const complete = await completeScenes(killed);
    assert.equal(signal, 'SIGKILL', 'it ended before it was killed');
    assert.ok(complete > 0 && complete < scenes, `${complete} scenes complete when killed`);

    const { code, stdout } = await runProgram(...command(killed, scenes));
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`${scenes - complete} scenes written \\(${complete} were there\\)`));
    const [expected, found] = [await contents(whole), await contents(killed)];
    assert.deepEqual([...found.keys()], [...expected.keys()]);
    for (const [path, bytes] of expected) assert.ok(found.get(path)!.equals(bytes), path);
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`ends at once on ${signal}`, async () => {
      const child = spawn(process.execPath, ['--import', 'tsx', MAIN, ...command(folder, 1000)], {
        stdio: 'ignore',
      });
      const ended = once(child, 'exit');
      while (child.exitCode === null && (await completeScenes(folder)) === 0) await setTimeout(20);
      child.kill(signal);
      assert.deepEqual(await ended, [null, signal]);
    });
  }

  it('leaves an earlier drive as it is where it is interrupted', async () => {
    const out = join(folder, 'drive.mcap');
    await writeFile(out, 'an earlier drive');
    const args = ['simulate', out, '--image-size', '48x16', '--duration', '1000'];
    const child = spawn(process.execPath, ['--import', 'tsx', MAIN, ...args], { stdio: 'ignore' });
    const ended = once(child, 'exit');
    const part = `${out}.part`;
    while (child.exitCode === null && !((await stat(part).catch(() => undefined))?.size ?? 0))
      await setTimeout(20);
    child.kill('SIGTERM');
    assert.deepEqual(await ended, [null, 'SIGTERM']);
    assert.equal(await readFile(out, 'utf8'), 'an earlier drive');
  });

  it('says beforehand what it will take, and refuses what the disk has no room for', async () => {
    const { code, stdout } = await runProgram(...command(folder, 1));
    assert.equal(code, 0);
    const plan = /^1 of 1 scenes of seed 4 to write to .*: about ([\d.]+) MB of [\d.]+ MB free$/m.exec(
      stdout,
    );
    const written = (await bytesOf(folder)) / 1e6;
    const ratio = Number(plan?.[1]) / written;
    assert.ok(ratio > 0.8 && ratio < 1.3, `${plan?.[1]} MB said, ${written} MB written`);
    const refused = await runProgram(...command(join(folder, 'huge'), 4_000_000_000));
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /about \d+\.\d GB are to be written.*DISK_FULL/);
    assert.deepEqual(await readdir(join(folder, 'huge')), ['.progress']);
  });

  for (const [what, args, reason] of [
    [
      'options of data sets for a bag',
      ['drive.mcap', '--samples-per-scene', '2'],
      /expected --samples-per-scene with --format nuscenes only, found it with mcap; .*\[SIMULATE_OTHER_FORMAT\]/,
    ],
    [
      'options of bags for a data set',
      ['data', '--format', 'nuscenes', '--voxel-factor', '2'],
      /expected --voxel-factor with --format mcap only, found it with nuscenes; .*\[SIMULATE_OTHER_FORMAT\]/,
    ],
    ['more seconds than an hour', ['drive.mcap', '--duration', '3601'], /above 0 and at most 3600/],
    ['no frames', ['drive.mcap', '--rate', '0'], /above 0/],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const [out, ...options] = args;
      const { code, stderr } = await runProgram('simulate', `${folder}/${out}`, ...options);
      assert.equal(code, 2, stderr);
      assert.match(stderr, reason);
      assert.deepEqual(await readdir(folder), []);
    });
  }

  it('says what it made of which world, and how long that took', async () => {
    const out = join(folder, 'drive.mcap');
    const { stdout } = await runProgram('simulate', out, '--duration', '0.2', '--image-size', '48x16');
    assert.match(stdout, /drive\.mcap: 1 frames of scene 0, seed 1, made in \d+\.\d s$/m);
  });

  it('refuses a rig that it does not have, and scenes longer than their street', async () => {
    const unknown = await runProgram(...command(folder, 1), '--rig', 'submarine');
    assert.match(unknown.stderr, /nuscenes, three-camera, four-fisheye/);
    const long = await runProgram(...command(folder, 1), '--samples-per-scene', '21');
    assert.match(long.stderr, /from 1 to 20/);
    assert.ok(unknown.code !== 0 && long.code !== 0);
  });
});

async function completeScenes(folder: string): Promise<number> {
  const files = await readdir(join(folder, '.progress')).catch(() => []);
  return files.filter((file) => file.startsWith('scene-') && file.endsWith('.json')).length;
}

async function contents(folder: string): Promise<ReadonlyMap<string, Buffer>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(
    await Promise.all(
      paths.sort().map(async (path) => [relative(folder, path), await readFile(path)] as const),
    ),
  );
}

async function bytesOf(folder: string): Promise<number> {
  return [...(await contents(folder)).values()].reduce((sum, { length }) => sum + length, 0);
}
