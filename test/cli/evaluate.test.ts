import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import sharp from 'sharp';

import { decodeNpz } from '../../src/dataset/npz-reader.js';
import { exportNuscenes } from '../../src/simulation/nuscenes-export.js';
import { runProgram } from './run-program.js';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const smallModel = join(repository, 'test/fixtures/golden/network-six-cameras/model.safetensors');
const realFrame = join(repository, '../shared/data/nuscenes_frame/frame.json');

type Scores = Readonly<Record<'miou' | 'occupied_iou' | 'occupied_iou_above_ground', number>> & {
  readonly iou_per_class: Readonly<Record<string, number | null>>;
};
type Scored = Scores & { readonly prior: Scores };
interface Report extends Scored {
  readonly samples: number;
  readonly complete: boolean;
  readonly all_voxels: Scored;
  readonly occ3d: Scored & { readonly all_voxels: Scored };
  readonly ray_iou?: Readonly<Record<'1m' | '2m' | '4m' | 'mean', number>>;
  readonly map: number;
  readonly nds: number;
  readonly ap_per_class: Readonly<Record<string, number>>;
  readonly latency_ms: { readonly p50: number };
  readonly pictures: readonly string[];
}

describe('bdc-occ evaluate', function () {
  // Each case starts the program anew, which takes seconds on a busy machine.
  this.timeout(600_000);
  let folder: string;
  let data: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'evaluate-'));
    data = join(folder, 'data');
    const imageSize = { width: 176, height: 64 };
    await exportNuscenes({
      out: data,
      seed: 3,
      scenes: 2,
      samplesPerScene: 3,
      imageSize,
      samplesPerPixel: 1,
    });
  });

  after(() => rm(folder, { recursive: true }));

  const evaluate = (...args: readonly string[]) => runProgram('evaluate', '--data', data, ...args);

  it('prints every figure as one JSON object, writes submissions and pictures', async () => {
    const [boxes, voxels, out] = ['results_nusc.json', 'occupancy', 'pictures'].map((name) =>
      join(folder, name),
    ) as [string, string, string];
    const { code, stdout, stderr } = await evaluate(
      ...['--json', '--split', 'all', '--limit', '2', '--pictures', '1', '--out', out],
      ...['--write-boxes', boxes, '--write-occupancy', voxels],
    );
    assert.equal(code, 0, stderr);
    const report = JSON.parse(stdout) as Report;
    assert.deepEqual([report.samples, report.complete], [2, true]);
    for (const scored of [report, report.all_voxels, report.occ3d, report.occ3d.all_voxels]) {
      for (const scores of [scored, scored.prior]) {
        for (const key of ['miou', 'occupied_iou', 'occupied_iou_above_ground'] as const) {
          assert.ok(scores[key] >= 0 && scores[key] <= 1, `${key}: ${scores[key]}`);
        }
        assert.equal(Object.keys(scores.iou_per_class).length, 17);
      }
    }
    assert.ok(report.ray_iou!['1m'] <= report.ray_iou!['4m'] && report.ray_iou!.mean > 0);
    assert.ok(report.map >= 0 && report.nds >= 0);
    assert.equal(Object.keys(report.ap_per_class).length, 10);
    assert.ok(report.latency_ms.p50 > 0);

    const submission = JSON.parse(await readFile(boxes, 'utf8')) as {
      readonly meta: { readonly use_camera: boolean };
      readonly results: Readonly<Record<string, unknown>>;
    };
    assert.equal(submission.meta.use_camera, true);
    const tokens = Object.keys(submission.results);
    assert.deepEqual(readdirSync(voxels).sort(), tokens.map((token) => `${token}.npz`).sort());
    const path = join(voxels, `${tokens[0]}.npz`);
    const npz = await decodeNpz(await readFile(path), ['arr_0'], path);
    assert.deepEqual(npz.get('arr_0')!.shape, [200, 200, 16]);

    assert.equal(report.pictures.length, 5);
    const sample = report.pictures.find((picture) =>
      tokens.some((token) => picture.endsWith(`${token}.png`)),
    )!;
    const { width } = await sharp(sample).metadata();
    assert.ok(width > 3 * 800, String(width));
    for (const chart of ['iou', 'confusion']) {
      assert.match(await readFile(join(out, `${chart}.svg`), 'utf8'), /^<svg .*driveable surface.*<\/svg>$/s);
      assert.equal((await sharp(join(out, `${chart}.png`)).metadata()).format, 'png');
    }
  });

  it('counts boxes from the score it is told', async () => {
    const count = async (score: string) => {
      const boxes = join(folder, `boxes-from-${score}.json`);
      const args = ['--limit', '1', '--no-ray-iou', '--score-threshold', score, '--write-boxes', boxes];
      const { code, stderr } = await evaluate(...args);
      assert.equal(code, 0, stderr);
      const { results } = JSON.parse(await readFile(boxes, 'utf8')) as {
        readonly results: Readonly<Record<string, readonly { readonly detection_score: number }[]>>;
      };
      const scores = Object.values(results).flatMap((sample) => sample.map((box) => box.detection_score));
      assert.ok(scores.every((value) => value >= Number(score)));
      return scores.length;
    };
    const [all, sure] = [await count('0.01'), await count('0.5')];
    assert.ok(all > sure, `${all} boxes from 0.01 on, ${sure} from 0.5 on`);
  });

  it('prints a table, without RayIoU if told so', async () => {
    const { code, stdout } = await evaluate('--limit', '1', '--no-ray-iou');
    assert.equal(code, 0);
    assert.match(stdout, /on 1 samples/);
    assert.match(stdout, /above the ground .*\d/);
    assert.match(stdout, /^mAP /m);
    assert.doesNotMatch(stdout, /RayIoU/);
  });

  it('prints what is done when it is interrupted, and ends with 130', async () => {
    const voxels = join(folder, 'interrupted');
    const boxes = join(folder, 'interrupted.json');
    const child = spawn(
      process.execPath,
      [
        ...['--import', 'tsx', 'src/cli/main.ts', 'evaluate', '--data', data, '--json'],
        ...['--write-occupancy', voxels, '--write-boxes', boxes],
      ],
      { cwd: repository },
    );
    let stdout = '';
    child.stdout.on('data', (text: Buffer) => (stdout += text.toString()));
    const poll = setInterval(() => {
      if (!existsSync(voxels)) return;
      clearInterval(poll);
      child.kill('SIGINT');
    }, 2);
    const code = await new Promise((resolve) => child.on('exit', resolve));
    clearInterval(poll);
    assert.equal(code, 130);
    const report = JSON.parse(stdout) as Report;
    assert.equal(report.complete, false);
    assert.ok(report.samples >= 1 && report.samples < 6, String(report.samples));
    assert.ok(report.miou > 0);
    assert.ok(!existsSync(boxes) && !existsSync(`${boxes}.part`));
  });

  describe('bad input', () => {
    let broken: string;

    beforeEach(async () => {
      broken = join(folder, 'broken');
      await cp(data, broken, { recursive: true });
    });

    afterEach(() => rm(broken, { recursive: true }));

    const fails = async (args: readonly string[], message: RegExp): Promise<void> => {
      const { code, stdout, stderr } = await runProgram('evaluate', ...args);
      assert.equal(code, 2, stderr);
      assert.equal(stdout, '');
      assert.match(stderr, message);
    };
    const firstImage = (): string => {
      const images = join(broken, 'samples/CAM_FRONT');
      return join(images, readdirSync(images).sort()[0]!);
    };

    it('reports a missing image', async () => {
      await rm(firstImage());
      await fails(['--data', broken], /CAM_FRONT.*cannot be read.*DATASET_FILE_MISSING/s);
    });

    it('reports an image that cannot be decoded, with its camera and sample', async () => {
      await writeFile(firstImage(), 'no image');
      await fails(['--data', broken], /sample .*CAM_FRONT cannot be used.*DATASET_IMAGE_INVALID/s);
    });

    it('reports a missing table, an unknown split and a model of another grid', async () => {
      await rm(join(broken, 'v1.0-sim/sample_annotation.json'));
      await fails(['--data', broken], /sample_annotation\.json: cannot be read/);
      await fails(['--data', data, '--split', 'nowhere'], /no split "nowhere".*DATASET_SPLIT/);
      await fails(['--data', data, '--model', smallModel], /8×12×2 voxels.*MODEL_GRID_NOT_OCC3D/);
      await fails([], /--data <folder>' or '--frame <file>'/);
    });

    it('reports a full disk, and leaves no half file', async function () {
      if (!existsSync('/dev/full')) this.skip();
      const boxes = join(broken, 'results.json');
      await symlink('/dev/full', `${boxes}.part`);
      await fails(
        ['--data', data, '--limit', '1', '--no-ray-iou', '--write-boxes', boxes],
        /results\.json cannot be written: ENOSPC.*OUTPUT_NOT_WRITABLE/s,
      );
      assert.ok(!existsSync(boxes) && !existsSync(`${boxes}.part`));
    });
  });
});

describe('bdc-occ evaluate --frame', function () {
  this.timeout(600_000);

  it('compares a real frame with its LiDAR, beside the prior of a data set', async function () {
    if (!existsSync(realFrame)) {
      console.log(`      skipped: the real frame is not here (${realFrame})`);
      this.skip();
    }
    const folder = await mkdtemp(join(tmpdir(), 'evaluate-frame-'));
    try {
      const data = join(folder, 'data');
      const imageSize = { width: 64, height: 32 };
      await exportNuscenes({
        out: data,
        seed: 3,
        scenes: 2,
        samplesPerScene: 1,
        imageSize,
        samplesPerPixel: 1,
      });
      const { code, stdout, stderr } = await runProgram(
        'evaluate',
        '--frame',
        realFrame,
        '--prior-data',
        data,
        '--json',
      );
      assert.equal(code, 0, stderr);
      type Band = Readonly<Record<'all' | 'above_ground', Readonly<Record<string, number | null>>>>;
      type Comparison = { readonly total: Band; readonly by_range: readonly Band[] };
      const { network, prior } = JSON.parse(stdout) as Readonly<Record<'network' | 'prior', Comparison>>;
      for (const { total, by_range } of [network, prior]) {
        assert.equal(by_range.length, 4);
        assert.ok(by_range.every(({ all }) => all.hit_voxels! > 100));
        assert.equal(
          by_range.reduce((sum, { all }) => sum + all.hit_voxels!, 0),
          total.all.hit_voxels,
        );
      }
      // Never seen a real street, it still finds half of what the LiDAR hit, and not by calling everything occupied.
      assert.ok(network.total.all.recall! > 0.35 && network.total.all.precision! > 0.2);
      // The prior knows the ground better than what stands on it.
      assert.ok(prior.total.all.recall! > prior.total.above_ground.recall!);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('says what a frame without LiDAR lacks', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'evaluate-frame-'));
    try {
      const camera = {
        file: 'front.png',
        width: 64,
        height: 32,
        K: [
          [40, 0, 32],
          [0, 40, 16],
          [0, 0, 1],
        ],
        cam2ego: [
          [0, 0, 1, 0],
          [-1, 0, 0, 0],
          [0, -1, 0, 1.5],
          [0, 0, 0, 1],
        ],
      };
      const create = { width: 64, height: 32, channels: 3, background: 'grey' } as const;
      await sharp({ create }).toFile(join(folder, 'front.png'));
      const path = join(folder, 'frame.json');
      await writeFile(path, JSON.stringify({ timestamp: 1, cameras: { front: camera } }));
      const { code, stderr } = await runProgram('evaluate', '--frame', path);
      assert.equal(code, 2);
      assert.match(stderr, /names no LiDAR file.*FRAME_WITHOUT_LIDAR/s);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
