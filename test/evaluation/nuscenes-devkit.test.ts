import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { AnnotatedObject } from '../../src/dataset/nuscenes-annotations.js';
import { NuscenesReader, type DatasetSample } from '../../src/dataset/nuscenes-reader.js';
import { SubmissionWriter, type SubmissionBox } from '../../src/dataset/nuscenes-submission.js';
import { DETECTION_NAMES, TRUE_POSITIVE_ERRORS } from '../../src/evaluation/detection-config.js';
import { DetectionEvaluation, type DetectionScores } from '../../src/evaluation/detection-evaluation.js';
import { exportNuscenes } from '../../src/simulation/nuscenes-export.js';
import { Random } from '../../src/simulation/random.js';
import { needDevkit, runWithDevkit } from '../devkit.js';

const VERSION = 'v1.0-sim';
const TOLERANCE = 1e-6;

interface DevkitMetrics {
  readonly samples: number;
  readonly annotations: number;
  readonly mean_ap: number;
  readonly nd_score: number;
  readonly mean_dist_aps: Readonly<Record<string, number>>;
  readonly label_aps: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly tp_errors: Readonly<Record<string, number>>;
  readonly label_tp_errors: Readonly<Record<string, Readonly<Record<string, number | null>>>>;
}

/** nuscenes-devkit on the same files: a simulated data set and submissions with every kind of mistake. */
describe('DetectionEvaluation beside nuscenes-devkit', function () {
  // The first run installs the devkit.
  this.timeout(600_000);
  let root: string;
  let samples: readonly DatasetSample[];

  before(async function () {
    await needDevkit(this);
    root = await mkdtemp(join(tmpdir(), 'devkit-'));
    await exportNuscenes({
      out: root,
      seed: 11,
      scenes: 3,
      samplesPerScene: 4,
      imageSize: { width: 64, height: 32 },
      samplesPerPixel: 1,
    });
    await addBicycleRack(root);
    const reader = await NuscenesReader.open(root, { split: 'all' });
    const list: DatasetSample[] = [];
    for await (const sample of reader.samples(['CAM_FRONT'])) list.push(sample);
    samples = list;
  });

  after(async () => {
    if (root !== undefined) await rm(root, { recursive: true });
  });

  async function compare(
    predict: (sample: DatasetSample) => readonly SubmissionBox[],
  ): Promise<{ readonly ours: DetectionScores; readonly devkit: DevkitMetrics; readonly worst: number }> {
    const path = join(root, 'results_nusc.json');
    const writer = await SubmissionWriter.open(path);
    const evaluation = new DetectionEvaluation();
    for (const sample of samples) {
      const boxes = predict(sample);
      await writer.add(sample.token, boxes);
      evaluation.add({
        egoTranslation: sample.egoTranslation,
        predictions: boxes,
        truths: sample.objects,
        bicycleRacks: sample.bicycleRacks,
      });
    }
    await writer.close();
    const stdout = await runWithDevkit('test/evaluation/devkit_metrics.py', root, VERSION, 'all', path);
    const devkit = JSON.parse(stdout.replaceAll('NaN', 'null')) as DevkitMetrics;
    const ours = evaluation.scores();
    return { ours, devkit, worst: largestDifference(ours, devkit) };
  }

  it('opens the simulated data set, its images and its boxes', async () => {
    const { devkit } = await compare(noisy(4));
    assert.equal(devkit.samples, 12);
    assert.ok(devkit.annotations > 100, String(devkit.annotations));
  });

  it('gives the same figures for displaced, resized, turned, doubled, missed and invented boxes', async () => {
    const { ours, devkit, worst } = await compare(noisy(1));
    console.log(
      `      mAP ${ours.map.toFixed(4)}, NDS ${ours.nds.toFixed(4)}; largest difference of any figure ${worst.toExponential(1)}`,
    );
    assert.ok(devkit.mean_ap > 0.2 && devkit.mean_ap < 0.9, String(devkit.mean_ap));
    assert.ok(Object.values(devkit.tp_errors).every((error) => error > 0.01 && error < 1));
    assert.ok(worst < TOLERANCE, String(worst));
  });

  it('gives the same figures where many scores are equal', async () => {
    const predict = noisy(2);
    const { worst } = await compare((sample) =>
      predict(sample).map((box) => ({ ...box, detection_score: Math.ceil(box.detection_score * 3) / 3 })),
    );
    assert.ok(worst < TOLERANCE, String(worst));
  });

  it('gives the same figures for perfect boxes and for hardly any', async () => {
    const few = noisy(3);
    for (const predict of [
      (sample: DatasetSample) =>
        sample.objects.map((box) => ({ ...perfect(sample, box), detection_score: 0.5 })),
      (sample: DatasetSample) => few(sample).slice(0, 2),
    ]) {
      const { worst } = await compare(predict);
      assert.ok(worst < TOLERANCE, String(worst));
    }
  });

  it('leaves out what stands in a bicycle rack, as the devkit does', async () => {
    const racks = samples.reduce((sum, { bicycleRacks }) => sum + bicycleRacks.length, 0);
    assert.equal(racks, 1);
    const { devkit, ours } = await compare(noisy(1));
    const all = samples.reduce((sum, { objects }) => sum + objects.length, 0);
    const counted = Object.values(ours.truths_per_class).reduce((sum, count) => sum + count, 0);
    assert.ok(counted < all);
    assert.ok(Math.abs(devkit.mean_dist_aps.bicycle! - ours.ap_per_class.bicycle) < TOLERANCE);
  });
});

/** Puts a rack around the first bicycle or motorcycle. */
async function addBicycleRack(root: string): Promise<void> {
  type Row = Record<string, unknown> & { readonly token: string };
  const table = async (name: string): Promise<Row[]> =>
    JSON.parse(await readFile(join(root, VERSION, `${name}.json`), 'utf8')) as Row[];
  const write = (name: string, rows: readonly Row[]): Promise<void> =>
    writeFile(join(root, VERSION, `${name}.json`), JSON.stringify(rows));
  const [categories, instances, annotations] = await Promise.all(
    ['category', 'instance', 'sample_annotation'].map(table),
  );
  const cycles = categories!.filter(
    ({ name }) => name === 'vehicle.bicycle' || name === 'vehicle.motorcycle',
  );
  const parked = instances!.find(({ category_token }) =>
    cycles.some(({ token }) => token === category_token),
  )!;
  const cycle = annotations!.find(({ instance_token }) => instance_token === parked.token)!;
  const rack = { token: 'rack', name: 'static_object.bicycle_rack', description: '' };
  await write('category', [...categories!, rack]);
  await write('instance', [
    ...instances!,
    { ...parked, token: 'rack-1', category_token: 'rack', nbr_annotations: 1 },
  ]);
  await write('sample_annotation', [
    ...annotations!,
    {
      ...cycle,
      token: 'rack-2',
      instance_token: 'rack-1',
      size: [4, 6, 3],
      attribute_tokens: [],
      prev: '',
      next: '',
    },
  ]);
}

function perfect({ token }: DatasetSample, box: AnnotatedObject): SubmissionBox {
  const { translation, size, rotation, velocity, detection_name, attribute_name } = box;
  return {
    sample_token: token,
    translation,
    size,
    rotation,
    velocity: velocity.map((v) => (Number.isNaN(v) ? 0 : v)) as unknown as readonly [number, number],
    detection_name,
    attribute_name,
    detection_score: 1,
  };
}

/** The true boxes with every kind of mistake, the same for the same seed. */
function noisy(seed: number): (sample: DatasetSample) => readonly SubmissionBox[] {
  const random = new Random(seed, 0);
  const around = (spread: number): number => random.uniform(-spread, spread);
  return (sample) =>
    sample.objects.flatMap((box) => {
      const copies = random.uniform() < 0.2 ? 0 : random.uniform() < 0.8 ? 1 : 2;
      return Array.from({ length: copies }, (): SubmissionBox => {
        const { translation, size, rotation, velocity, ...rest } = perfect(sample, box);
        const spread = random.uniform() < 0.7 ? 0.8 : 5;
        const half = around(0.6) / 2;
        const [w, x, y, z] = rotation;
        return {
          ...rest,
          translation: [translation[0] + around(spread), translation[1] + around(spread), translation[2]],
          size: size.map((side) => side * (1 + around(0.3))) as unknown as SubmissionBox['size'],
          rotation: [
            w * Math.cos(half) - z * Math.sin(half),
            x * Math.cos(half) + y * Math.sin(half),
            y * Math.cos(half) - x * Math.sin(half),
            z * Math.cos(half) + w * Math.sin(half),
          ],
          velocity: [velocity[0] + around(1), velocity[1] + around(1)],
          detection_name: random.uniform() < 0.05 ? 'car' : rest.detection_name,
          attribute_name: random.uniform() < 0.3 ? 'vehicle.stopped' : rest.attribute_name,
          detection_score: random.uniform(0.05, 1),
        };
      });
    });
}

function largestDifference(ours: DetectionScores, devkit: DevkitMetrics): number {
  const pairs: (readonly [string, number | null, number | null])[] = [
    ['mAP', ours.map, devkit.mean_ap],
    ['NDS', ours.nds, devkit.nd_score],
  ];
  for (const error of TRUE_POSITIVE_ERRORS)
    pairs.push([error, ours.tp_errors[error], devkit.tp_errors[error]!]);
  for (const name of DETECTION_NAMES) {
    pairs.push([name, ours.ap_per_class[name], devkit.mean_dist_aps[name]!]);
    for (const [distance, ap] of Object.entries(ours.ap_per_distance[name])) {
      const theirs = devkit.label_aps[name]!;
      pairs.push([`${name} ${distance} m`, ap, theirs[distance] ?? theirs[`${distance}.0`]!]);
    }
    for (const error of TRUE_POSITIVE_ERRORS) {
      pairs.push([
        `${name} ${error}`,
        ours.tp_errors_per_class[name][error],
        devkit.label_tp_errors[name]![error]!,
      ]);
    }
  }
  return Math.max(
    ...pairs.map(([what, a, b]) => {
      assert.equal(a === null, b === null, `${what}: ${a}, ${b}`);
      const difference = a === null || b === null ? 0 : Math.abs(a - b);
      assert.ok(!Number.isNaN(difference), `${what}: ${a}, ${b}`);
      return difference;
    }),
  );
}
