import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { accuracyMarkdown, type AccuracyResult } from '../../src/cli/accuracy-markdown.js';
import { runProgram } from './run-program.js';

const band = (from: number, to: number) => ({
  from,
  to,
  all: { hit_voxels: 10, free_voxels: 5, recall: 0.5, precision: 0.25 },
  above_ground: { hit_voxels: 4, free_voxels: 5, recall: 0.125, precision: null },
});
const frame = {
  model: 'small',
  frame: 'frame.json',
  lidar_points: 99,
  voxel_size: 0.8,
  latency_ms: 5,
  network: { total: band(0, 40), by_range: [band(0, 10)] },
};

describe('bdc-occ accuracy-report', function () {
  this.timeout(120_000);
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'accuracy-report-'));
  });

  after(() => rm(folder, { recursive: true }));

  it('makes a page with a section for each result', async () => {
    const path = join(folder, 'real-frame.json');
    await writeFile(path, JSON.stringify(frame));
    const out = join(folder, 'accuracy.md');
    const { code, stderr } = await runProgram('accuracy-report', path, '--out', out);
    assert.equal(code, 0, stderr);
    const page = await readFile(out, 'utf8');
    assert.match(page, /^# Accuracy\n/);
    assert.match(page, /^## real-frame$/m);
    assert.match(page, /^\| 0–10 m +\| +10 \| +50\.0 \| +– \| +25\.0 \| +– \|$/m);
    assert.match(page, /^\| 0–40 m +\| +4 \| +12\.5 \| +– \| +– \| +– \|$/m);
  });

  it('shows network and prior on both grids, RayIoU and AP of a data set', () => {
    const scores = (miou: number) => ({
      miou,
      iou_per_class: { car: miou, bus: null },
      occupied_iou: 0.6,
      occupied_iou_above_ground: 0.2,
    });
    const scored = { ...scores(0.234), prior: scores(0.1) };
    const rays = { '1m': 0.1, '2m': 0.2, '4m': 0.3, mean: 0.2 };
    const report = {
      model: 'small',
      samples: 3,
      complete: true,
      voxel_size: 0.8,
      ...scored,
      all_voxels: scored,
      occ3d: { ...scored, all_voxels: scored },
      ray_iou: { ...rays, camera_visible: rays },
      latency_ms: { p50: 20, p99: 40 },
    };
    const page = accuracyMarkdown([{ kind: 'dataset', name: 'val', report } as unknown as AccuracyResult]);
    assert.match(page, /^\| mIoU +\| +23\.4 \| +10\.0 \| +23\.4 \| +10\.0 \|$/m);
    assert.match(page, /^\| bus +\| +– \|/m);
    assert.match(page, /^\| all rays +\| 10\.0 \| 20\.0 \| 30\.0 \| 20\.0 \|$/m);
    assert.match(page, /3 samples; 20 ms a frame/);
    assert.doesNotMatch(page, /mAP/);
  });

  it('says which file is no result', async () => {
    const path = join(folder, 'other.json');
    for (const [text, found] of [
      ['{"a": 1}', /an object with a/],
      ['[', /JSON/],
      ['null', /another JSON value/],
    ] as const) {
      await writeFile(path, text);
      const { code, stderr } = await runProgram('accuracy-report', path, '--out', join(folder, 'x.md'));
      assert.equal(code, 2);
      assert.match(stderr, found);
      assert.match(stderr, /other\.json: expected what bdc-occ evaluate --json prints.*RESULT_INVALID/);
    }
  });
});
