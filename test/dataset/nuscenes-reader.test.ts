import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { encodeNpz } from '../../src/dataset/npz.js';
import { NuscenesReader, type DatasetSample } from '../../src/dataset/nuscenes-reader.js';
import { OCC3D_GRID } from '../../src/dataset/occ3d.js';

const LABELS = 'gts/scene-1/sample-1/labels.npz';
const shape = [...OCC3D_GRID.shape];

/** Yaw of 90 degrees, w first. */
const LEFT = [Math.SQRT1_2, 0, 0, Math.SQRT1_2];
const NONE = [1, 0, 0, 0];
const K = [
  [100, 0, 32],
  [0, 100, 16],
  [0, 0, 1],
];

/** One sample: the camera's ego pose is 2 m ahead of the lidar's, along the heading (which is global +y). */
const tables: Readonly<Record<string, readonly object[]>> = {
  scene: [{ token: 'scene', name: 'scene-1' }],
  sample: [{ token: 'sample-1', scene_token: 'scene', timestamp: 1_500_000 }],
  sensor: [
    { token: 'front', channel: 'CAM_FRONT', modality: 'camera' },
    { token: 'lidar', channel: 'LIDAR_TOP', modality: 'lidar' },
  ],
  calibrated_sensor: [
    {
      token: 'front-at',
      sensor_token: 'front',
      translation: [1.5, 0, 1.6],
      rotation: NONE,
      camera_intrinsic: K,
    },
    {
      token: 'lidar-at',
      sensor_token: 'lidar',
      translation: [0.9, 0, 1.8],
      rotation: NONE,
      camera_intrinsic: [],
    },
  ],
  ego_pose: [
    { token: 'then', translation: [10, 20, 0], rotation: LEFT },
    { token: 'later', translation: [10, 22, 0], rotation: LEFT },
  ],
  sample_data: [
    keyFrame('front', 'later', 'samples/CAM_FRONT/a.jpg', 1_520_000),
    keyFrame('lidar', 'then', 'samples/LIDAR_TOP/a.bin', 1_500_000),
    { ...keyFrame('front', 'later', 'sweeps/CAM_FRONT/b.jpg', 1_600_000), is_key_frame: false },
  ],
  category: ['vehicle.car', 'animal', 'static_object.bicycle_rack'].map((name) => ({ token: name, name })),
  attribute: [{ token: 'parked', name: 'vehicle.parked' }],
  instance: ['vehicle.car', 'animal', 'static_object.bicycle_rack'].map((name) => ({
    token: `a-${name}`,
    category_token: name,
  })),
  sample_annotation: [
    annotation('vehicle.car', { attribute_tokens: ['parked'] }),
    annotation('animal', {}),
    annotation('static_object.bicycle_rack', { translation: [1, 2, 0] }),
  ],
};

function annotation(category: string, more: object): object {
  return {
    token: `the-${category}`,
    sample_token: 'sample-1',
    instance_token: `a-${category}`,
    attribute_tokens: [],
    translation: [10, 30, 0.8],
    size: [1.8, 4.5, 1.6],
    rotation: NONE,
    num_lidar_pts: 5,
    num_radar_pts: 2,
    prev: '',
    next: '',
    ...more,
  };
}

function keyFrame(sensor: string, pose: string, filename: string, timestamp: number): object {
  return {
    token: filename,
    sample_token: 'sample-1',
    ego_pose_token: pose,
    calibrated_sensor_token: `${sensor}-at`,
    filename,
    width: 64,
    height: 32,
    timestamp,
    is_key_frame: true,
  };
}

describe('NuscenesReader', () => {
  let root: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'nuscenes-'));
    const write = async (path: string, content: string | Uint8Array): Promise<void> => {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), content);
    };
    for (const [name, rows] of Object.entries(tables))
      await write(`v1.0-mini/${name}.json`, JSON.stringify(rows));
    await write('samples/CAM_FRONT/a.jpg', Uint8Array.of(1, 2, 3));
    const semantics = new Uint8Array(OCC3D_GRID.size).fill(17);
    semantics[5] = 4;
    const mask_camera = new Uint8Array(OCC3D_GRID.size);
    mask_camera[5] = 1;
    await write(
      LABELS,
      await encodeNpz({ semantics: { shape, data: semantics }, mask_camera: { shape, data: mask_camera } }),
    );
  });

  afterEach(() => rm(root, { recursive: true }));

  const readAll = async (
    cameras: readonly string[] = ['CAM_FRONT', 'CAM_BACK'],
  ): Promise<DatasetSample[]> => {
    const samples: DatasetSample[] = [];
    for await (const sample of (await NuscenesReader.open(root)).samples(cameras)) samples.push(sample);
    return samples;
  };

  /** Replaces part of a table's text. */
  const edit = async (table: string, from: string, to: string): Promise<void> => {
    const path = join(root, 'v1.0-mini', `${table}.json`);
    await writeFile(path, (await readFile(path, 'utf8')).replaceAll(from, to));
  };

  it('gives key frames with labels, images and stamps', async () => {
    const [sample, ...others] = await readAll();
    assert.equal(others.length, 0);
    assert.equal(sample!.scene, 'scene-1');
    assert.equal(sample!.frame.stamp, 1_500_000_000n);
    assert.deepEqual(sample!.frame.images, [
      { kind: 'compressed', stamp: 1_520_000_000n, data: Buffer.from([1, 2, 3]) },
    ]);
    assert.equal(sample!.labels[5], 4);
    assert.deepEqual([sample!.cameraMask[4], sample!.cameraMask[5]], [0, 1]);
  });

  it("puts a camera where it was when it looked, in the ego frame of the lidar's time", async () => {
    const camera = (await readAll())[0]!.rig.cameras[0]!;
    camera.baseFromCamera.translation.forEach((value, axis) => {
      assert.ok(Math.abs(value - [3.5, 0, 1.6][axis]!) < 1e-9, `axis ${axis}: ${value}`);
    });
    assert.deepEqual(camera.model.project([0, 0, 2]), [32, 16]);
  });

  it('gives the boxes of the detection task, and the bicycle racks', async () => {
    const { objects, bicycleRacks } = (await readAll())[0]!;
    assert.deepEqual(objects, [
      {
        translation: [10, 30, 0.8],
        size: [1.8, 4.5, 1.6],
        rotation: NONE,
        detection_name: 'car',
        attribute_name: 'vehicle.parked',
        velocity: [NaN, NaN],
        num_pts: 7,
      },
    ]);
    assert.deepEqual(
      bicycleRacks.map(({ translation }) => translation),
      [[1, 2, 0]],
    );
  });

  it("starts RayIoU's rays at the lidar", async () => {
    assert.deepEqual((await readAll())[0]!.rayOrigins, [[0.9, 0, 1.8]]);
  });

  it('reads the scenes of a custom split and of the official ones', async () => {
    await writeFile(
      join(root, 'v1.0-mini/splits.json'),
      JSON.stringify({ mine: ['scene-1'], none: ['scene-7'] }),
    );
    const count = async (split: string): Promise<number> =>
      (await NuscenesReader.open(root, { split })).sampleCount;
    assert.deepEqual([await count('mine'), await count('mini_train')], [1, 1]);
    await assert.rejects(count('none'), { code: 'DATASET_EMPTY', message: /of split "none"/ });
    await assert.rejects(count('mini_val'), { code: 'DATASET_EMPTY' });
    await assert.rejects(count('other'), { code: 'DATASET_SPLIT', message: /mine, none/ });
    await writeFile(join(root, 'v1.0-mini/splits.json'), '{"mine": 5}');
    await assert.rejects(count('mine'), { code: 'DATASET_SPLIT', message: /lists of scene names/ });
  });

  const faults: readonly (readonly [string, RegExp, () => Promise<unknown>])[] = [
    ['a missing table', /ego_pose\.json: cannot be read/, () => rm(join(root, 'v1.0-mini/ego_pose.json'))],
    [
      'a cut table',
      /sample\.json: expected JSON.*cut/,
      () => truncate(join(root, 'v1.0-mini/sample.json'), 20),
    ],
    [
      'a table that is no list',
      /scene\.json: expected a list/,
      () => writeFile(join(root, 'v1.0-mini/scene.json'), '{}'),
    ],
    ['a row that is not there', /ego_pose has no row later/, () => edit('ego_pose', 'later', 'never')],
    [
      'a pose that is no rotation',
      /row then:.*quaternion/,
      () => edit('ego_pose', String(Math.SQRT1_2), '0'),
    ],
    ['a sample without lidar', /no key frame of LIDAR_TOP/, () => edit('sensor', 'LIDAR_TOP', 'LIDAR_2')],
    ['a sample without the cameras', /none of the cameras/, () => edit('sensor', 'CAM_FRONT', 'CAM_UP')],
    ['a missing image', /a\.jpg: cannot be read/, () => rm(join(root, 'samples'), { recursive: true })],
    ['missing labels', /labels\.npz: cannot be read/, () => rm(join(root, LABELS))],
    ['cut labels', /labels\.npz: expected a zip archive/, () => truncate(join(root, LABELS), 300)],
    [
      'labels of another grid',
      /semantics needs shape 200×200×16, found 2×1×1/,
      async () => {
        const small = { shape: [2, 1, 1], data: new Uint8Array(2) };
        await writeFile(join(root, LABELS), await encodeNpz({ semantics: small, mask_camera: small }));
      },
    ],
    [
      'labels that are no classes',
      /labels go from 0 to 17, found 40 at index 2/,
      async () => {
        const data = new Uint8Array(OCC3D_GRID.size);
        data[2] = 40;
        const strange = { shape, data };
        await writeFile(join(root, LABELS), await encodeNpz({ semantics: strange, mask_camera: strange }));
      },
    ],
    ['a box that is not a number', /needs finite numbers/, () => edit('sample_annotation', '0.8', 'null')],
    ['a box of no instance', /which is not there/, () => edit('instance', 'a-vehicle.car', 'b')],
    ['an instance of no category', /category has no row animal/, () => edit('category', '"animal"', '"pet"')],
    [
      'a box with a neighbour that is not there',
      /neighbour gone, which is not there/,
      () => edit('sample_annotation', '"next":""', '"next":"gone"'),
    ],
    [
      'labels without a mask',
      /expected an array "mask_camera"/,
      async () => {
        const small = { shape: [1], data: new Uint8Array(1) };
        await writeFile(join(root, LABELS), await encodeNpz({ semantics: small }));
      },
    ],
    ['two versions of the tables', /found v1\.0-mini, v1\.0-test/, () => mkdir(join(root, 'v1.0-test'))],
  ];
  for (const [what, message, damage] of faults) {
    it(`reports ${what}`, async () => {
      await damage();
      await assert.rejects(readAll(), { name: 'DatasetError', message });
    });
  }

  it('reports a folder that is not there', async () => {
    await assert.rejects(NuscenesReader.open(join(root, 'nowhere')), { code: 'DATASET_MISSING' });
  });
});
