import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  EgoPoseRow,
  NuscenesTables,
  SampleAnnotationRow,
  TableName,
} from '../../src/dataset/nuscenes-tables.js';
import { exportNuscenes } from '../../src/simulation/nuscenes-export.js';

const SECONDS = 0.5;
const SAMPLES = 4;

describe('Simulated sequences', function () {
  this.timeout(300_000);
  let folder: string;

  const simulate = async (seed: number): Promise<NuscenesTables> => {
    const out = join(folder, String(seed));
    const imageSize = { width: 48, height: 16 };
    await exportNuscenes({ out, seed, scenes: 2, samplesPerScene: SAMPLES, imageSize, samplesPerPixel: 1 });
    const names = ['sample', 'sample_data', 'sample_annotation', 'instance', 'ego_pose', 'scene'] as const;
    const tables = await Promise.all(
      names.map(async (name) => [
        name,
        JSON.parse(await readFile(join(out, 'v1.0-sim', `${name}.json`), 'utf8')) as unknown,
      ]),
    );
    return Object.fromEntries(tables) as NuscenesTables;
  };
  let tables: NuscenesTables;
  let others: NuscenesTables;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bdc-sequence-'));
    [tables, others] = [await simulate(6), await simulate(7)];
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('links samples, their data and annotations to the ones before and after', () => {
    for (const name of ['sample', 'sample_data', 'sample_annotation'] as const) {
      const rows: readonly { readonly token: string; readonly prev: string; readonly next: string }[] =
        tables[name];
      const byToken = new Map(rows.map((row) => [row.token, row]));
      assert.equal(byToken.size, rows.length, `${name}: tokens are unique`);
      for (const row of rows) {
        if (row.next !== '') assert.equal(byToken.get(row.next)!.prev, row.token, name);
        if (row.prev !== '') assert.equal(byToken.get(row.prev)!.next, row.token, name);
      }
    }
    for (const { token, first_sample_token, last_sample_token } of tables.scene) {
      const samples = tables.sample.filter(({ scene_token }) => scene_token === token);
      assert.deepEqual(
        samples.map(({ prev }) => prev),
        ['', ...samples.slice(0, -1).map((sample) => sample.token)],
      );
      assert.deepEqual([first_sample_token, last_sample_token], [samples[0]!.token, samples.at(-1)!.token]);
      assert.equal(samples.length, SAMPLES);
    }
  });

  it('keeps an instance across frames: one size, one category, positions that follow its velocity', () => {
    const stamps = new Map(tables.sample.map(({ token, timestamp }) => [token, timestamp]));
    const byToken = new Map(tables.sample_annotation.map((row) => [row.token, row]));
    let moving = 0;
    for (const { token, nbr_annotations, first_annotation_token } of tables.instance) {
      let row: SampleAnnotationRow | undefined = byToken.get(first_annotation_token);
      let count = 0;
      for (; row !== undefined; row = byToken.get(row.next)) {
        count += 1;
        assert.equal(row.instance_token, token);
        const next = byToken.get(row.next);
        if (next === undefined) continue;
        assert.deepEqual(next.size, row.size);
        const seconds = (stamps.get(next.sample_token)! - stamps.get(row.sample_token)!) / 1e6;
        for (const axis of [0, 1] as const) {
          const mean = (row.velocity![axis] + next.velocity![axis]) / 2;
          const travelled = next.translation[axis] - row.translation[axis];
          assert.ok(Math.abs(travelled - mean * seconds) < 0.15, `${travelled} m, ${mean} m/s`);
        }
        if (Math.hypot(...row.velocity!) > 1) moving += 1;
      }
      assert.equal(count, nbr_annotations);
    }
    assert.ok(moving > 10, `${moving} steps of moving actors`);
  });

  it('moves the ego vehicle steadily, the same pose for all sensors of a sample', () => {
    const poses = new Map(tables.ego_pose.map((row) => [row.token, row]));
    let driven = 0;
    for (const { token } of tables.scene) {
      const track = tables.sample
        .filter(({ scene_token }) => scene_token === token)
        .map((sample) => {
          const rows = tables.sample_data
            .filter(({ sample_token }) => sample_token === sample.token)
            .map(({ ego_pose_token }) => poses.get(ego_pose_token)!);
          for (const row of rows) assert.deepEqual(row.translation, rows[0]!.translation);
          return rows[0]!;
        });
      const steps = track.slice(1).map((pose, i) => distance(pose, track[i]!));
      assert.ok(Math.max(...steps) <= 13 * SECONDS, `${Math.max(...steps)} m in ${SECONDS} s`);
      assert.ok(Math.max(...steps) - Math.min(...steps) < 0.5);
      driven += steps.reduce((sum, step) => sum + step, 0);
    }
    assert.ok(driven > 1, `${driven} m`);
  });

  it('shares no token between seeds but those of the vocabulary', () => {
    const perScene = ['scene', 'sample', 'sample_data', 'sample_annotation', 'instance', 'ego_pose'] as const;
    for (const name of perScene satisfies readonly TableName[]) {
      const ours = new Set(tables[name].map(({ token }) => token));
      const shared = others[name].filter(({ token }) => ours.has(token));
      assert.deepEqual(shared, [], name);
    }
  });
});

const distance = (a: EgoPoseRow, b: EgoPoseRow): number =>
  Math.hypot(a.translation[0] - b.translation[0], a.translation[1] - b.translation[1]);
