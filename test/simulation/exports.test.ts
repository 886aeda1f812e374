import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BagReader } from '../../src/bag/bag-reader.js';
import { NuscenesReader } from '../../src/dataset/nuscenes-reader.js';
import { OCC3D_GRID } from '../../src/dataset/occ3d.js';
import { VoxelGrid } from '../../src/geometry/voxel-grid.js';
import { exportBag } from '../../src/simulation/bag-export.js';
import { exportNuscenes } from '../../src/simulation/nuscenes-export.js';
import { readRecordedTruth } from '../../src/simulation/recorded-truth.js';
import { Recording } from '../../src/simulation/recording.js';

const SIZE = { width: 88, height: 32 };
const CHANNELS = [
  'CAM_FRONT_LEFT',
  'CAM_FRONT',
  'CAM_FRONT_RIGHT',
  'CAM_BACK_LEFT',
  'CAM_BACK',
  'CAM_BACK_RIGHT',
];

describe('Simulation exports', function () {
  this.timeout(120_000);
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bdc-simulation-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const options = (scenes: number, seed = 3) => ({
    out: folder,
    seed,
    scenes,
    samplesPerScene: 2,
    imageSize: SIZE,
    samplesPerPixel: 1,
  });

  it('writes a data set that the reader gives back as it was simulated', async () => {
    await exportNuscenes(options(1));
    const reader = await NuscenesReader.open(folder);
    assert.equal(reader.sampleCount, 2);
    const recording = new Recording({ seed: 3, index: 0, imageSize: SIZE, samplesPerPixel: 1 });
    let time = 0;
    for await (const sample of reader.samples(CHANNELS)) {
      const { voxels } = await recording.capture(time);
      assert.deepEqual(sample.labels, voxels.semantics);
      assert.deepEqual(sample.cameraMask, voxels.maskCamera);
      assert.deepEqual(
        sample.rig.cameras.map(({ name }) => name),
        CHANNELS,
      );
      sample.rig.cameras.forEach(({ baseFromCamera, model }, i) => {
        const { egoFromCamera, intrinsics } = recording.rig.cameras[i]!;
        const expected = egoFromCamera.apply([1, 2, 3]);
        baseFromCamera.apply([1, 2, 3]).forEach((value, axis) => {
          assert.ok(Math.abs(value - expected[axis]!) < 1e-6);
        });
        assert.deepEqual(model.project([0, 0, 1]), [intrinsics[2], intrinsics[3]]);
      });
      time += 0.5;
    }
    assert.equal(time, 1);
  });

  it('writes the lens of a fisheye camera, which the reader gives back', async () => {
    await exportNuscenes({ ...options(1), samplesPerScene: 1, rig: 'four-fisheye' });
    const { cameras } = new Recording({
      seed: 3,
      index: 0,
      rig: 'four-fisheye',
      imageSize: SIZE,
      samplesPerPixel: 1,
    }).rig;
    const reader = await NuscenesReader.open(folder);
    for await (const { rig } of reader.samples(CHANNELS)) {
      assert.deepEqual(
        rig.cameras.map(({ name }) => name),
        ['CAM_FRONT', 'CAM_BACK_LEFT', 'CAM_BACK', 'CAM_BACK_RIGHT'],
      );
      for (const { name, model } of rig.cameras) {
        const { lens } = cameras.find(({ channel }) => channel === name)!;
        for (const point of [
          [1, -0.2, 3],
          [-4, 0.5, 0.4],
          [3, 0, -0.1],
        ] as const) {
          assert.deepEqual(model.project(point), lens.project(point)!.pixel);
        }
      }
    }
    const calibrations = join(folder, 'v1.0-sim', 'calibrated_sensor.json');
    const text = await readFile(calibrations, 'utf8');
    await writeFile(calibrations, text.replace('"equidistant"', '"mirror"'));
    const damaged = (await NuscenesReader.open(folder)).samples(CHANNELS);
    await assert.rejects(damaged.next(), { code: 'CAMERA_DISTORTION_UNSUPPORTED', message: /mirror/ });
  });

  it('goes on where it stopped, and gives the bytes that one run gives', async () => {
    const first = await exportNuscenes(options(1));
    const second = await exportNuscenes(options(2));
    assert.deepEqual([first.written, second.written, second.skipped], [1, 1, 1]);
    const table = () => readFile(join(folder, 'v1.0-sim', 'sample_annotation.json'));
    const resumed = await table();
    await rm(folder, { recursive: true });
    await exportNuscenes(options(2));
    assert.deepEqual(await table(), resumed);
  });

  it('ends soon after a scene that cannot be written, and goes on when it can', async () => {
    const blocked = join(folder, 'samples/CAM_FRONT/scene-00000__CAM_FRONT__1600000000000000.jpg.part');
    await mkdir(blocked, { recursive: true });
    await assert.rejects(exportNuscenes(options(20)), { code: 'OUTPUT_NOT_WRITABLE' });
    const complete = (await readdir(join(folder, '.progress'))).filter((name) => name.startsWith('scene-'));
    assert.ok(complete.length < 10, `${complete.length} scenes after the failure`);
    await rm(blocked, { recursive: true });
    assert.equal((await exportNuscenes(options(1))).written, 1);
  });

  it('refuses to mix seeds in one folder', async () => {
    await exportNuscenes(options(1));
    await assert.rejects(exportNuscenes(options(1, 4)), { code: 'DATASET_OTHER_SETTINGS' });
  });

  it('writes labels that are reported when they were cut', async () => {
    await exportNuscenes(options(1));
    const reader = await NuscenesReader.open(folder);
    const samples = JSON.parse(await readFile(join(folder, 'v1.0-sim', 'sample.json'), 'utf8')) as {
      token: string;
    }[];
    await truncate(join(folder, 'gts', 'scene-00000', samples[0]!.token, 'labels.npz'), 3000);
    await assert.rejects(
      async () => {
        for await (const sample of reader.samples(CHANNELS)) assert.ok(sample);
      },
      { code: 'DATASET_NPZ_INVALID' },
    );
  });

  it('writes a drive with all topics, one message a frame', async () => {
    const out = join(folder, 'drive.mcap');
    const drive = { out, seed: 3, index: 0, duration: 1, rate: 2, imageSize: SIZE, samplesPerPixel: 1 };
    const { frames } = await exportBag({ ...drive, voxelFactor: 2 });
    assert.equal(frames, 2);
    const reader = await BagReader.open(out);
    const counts = Object.fromEntries(reader.topics.map(({ name, messageCount }) => [name, messageCount]));
    const names = CHANNELS.map((channel) => channel.replace('CAM_', '').toLowerCase());
    assert.deepEqual(counts, {
      '/tf_static': 1,
      '/tf': 2,
      '/odom': 2,
      ...Object.fromEntries(names.map((name) => [`/camera/${name}/camera_info`, 2])),
      ...Object.fromEntries(names.map((name) => [`/camera/${name}/image_raw/compressed`, 2])),
      '/ground_truth/voxels': 2,
      '/ground_truth/detections': 2,
    });
    await reader.close();
  });

  it('gives back the headings of a drive on a slope', async () => {
    const out = join(folder, 'slope.mcap');
    const drive = { out, seed: 51, index: 7, duration: 0.5, rate: 2, imageSize: SIZE, samplesPerPixel: 1 };
    await exportBag({ ...drive, voxelFactor: 2 });
    const grid = new VoxelGrid({ ...OCC3D_GRID, shape: [100, 100, 8] });
    const [truth] = [...(await readRecordedTruth(out, grid)).values()];
    const { boxes, worldFromEgo } = await new Recording(drive).capture(0);
    assert.ok(
      Math.abs(worldFromEgo.matrix[6]) + Math.abs(worldFromEgo.matrix[7]) > 0.01,
      'the ground is level',
    );
    const visible = boxes.filter(({ visibility }) => visibility >= 0.2);
    assert.equal(truth!.boxes.length, visible.length);
    for (const [i, { yaw }] of visible.entries()) {
      const [x, y] = worldFromEgo.inverse().rotate([Math.cos(yaw), Math.sin(yaw), 0]);
      const turned = truth!.boxes[i]!.yaw - Math.atan2(y, x);
      assert.ok(Math.abs(Math.sin(turned)) < 1e-6 && Math.cos(turned) > 0, `box ${i}`);
    }
  });
});
