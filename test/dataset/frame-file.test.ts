import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { readFrameFile } from '../../src/dataset/frame-file.js';
import { BdcError } from '../../src/errors.js';

const K = [
  [80, 0, 79.5],
  [0, 80, 44.5],
  [0, 0, 1],
];
/** Optical axes (x right, y down, z forward) of a camera that looks along +x from 1.5 m above base_link. */
const cam2ego = [
  [0, 0, 1, 0.5],
  [-1, 0, 0, 0],
  [0, -1, 0, 1.5],
  [0, 0, 0, 1],
];
const camera = { file: 'front.jpg', width: 160, height: 90, K, cam2ego };
/** A LiDAR turned by 90° to the left: its x is the car's y. */
const lidar2ego = [
  [0, -1, 0, 1],
  [1, 0, 0, 0],
  [0, 0, 1, 2],
  [0, 0, 0, 1],
];

describe('readFrameFile', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'frame-'));
    writeFileSync(join(folder, 'front.jpg'), 'not decoded here');
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  const write = (document: unknown): string => {
    const path = join(folder, 'frame.json');
    writeFileSync(path, typeof document === 'string' ? document : JSON.stringify(document));
    return path;
  };

  it('reads cameras, images and stamps', async () => {
    const path = write({
      timestamp: 12.5,
      cameras: { front: camera, rear: { ...camera, timestamp: 12.25 } },
    });
    const { rig, frame, boxes, points } = await readFrameFile(path);
    assert.equal(rig.baseFrame, 'base_link');
    assert.deepEqual(
      rig.cameras.map(({ name, model, baseFromCamera }) => [
        name,
        model.project([0, 0, 3]),
        baseFromCamera.apply([0, 0, 2]),
      ]),
      ['front', 'rear'].map((name) => [name, [79.5, 44.5], [2.5, 0, 1.5]]),
    );
    assert.equal(frame.stamp, 12_500_000_000n);
    assert.deepEqual(
      frame.images.map((image) => [image!.kind, image!.stamp, new TextDecoder().decode(image!.data)]),
      [
        ['compressed', 12_500_000_000n, 'not decoded here'],
        ['compressed', 12_250_000_000n, 'not decoded here'],
      ],
    );
    assert.deepEqual([boxes, points], [[], undefined]);
  });

  it('reads distortion as plumb_bob unless another model is named', async () => {
    const bent = async (entry: object) =>
      (await readFrameFile(write({ timestamp: 0, cameras: { front: { ...camera, ...entry } } }))).rig
        .cameras[0]!.model;
    const distortion = [-0.1, 0, 0, 0];
    assert.deepEqual((await bent({ distortion })).project([0.5, 0, 1]), [
      79.5 + 80 * 0.5 * (1 - 0.025),
      44.5,
    ]);
    const [u] = (await bent({ distortion, distortion_model: 'equidistant' })).project([1, 0, 1])!;
    assert.ok(Math.abs(u - (79.5 + 80 * (Math.PI / 4) * (1 - 0.1 * (Math.PI / 4) ** 2))) < 1e-9);
  });

  it('brings boxes and LiDAR points into the base frame', async () => {
    writeFileSync(join(folder, 'lidar.bin'), new Uint8Array(Float32Array.of(3, 4, -1, 77, 5).buffer));
    const { boxes, points } = await readFrameFile(
      write({
        timestamp: 0,
        cameras: { front: camera },
        lidar: { file: 'lidar.bin', lidar2ego },
        boxes: [{ label: 'car', box_lidar: [10, 2, -1, 4, 2, 1.5, 0.25] }],
      }),
    );
    assert.deepEqual([...points!], [-3, 3, 1]);
    const [{ label, position, size, yaw }] = boxes as [(typeof boxes)[number]];
    assert.deepEqual([label, size], ['car', [4, 2, 1.5]]);
    assert.ok(Math.hypot(position[0] + 1, position[1] - 10, position[2] - 1) < 1e-12);
    assert.ok(Math.abs(yaw - (Math.PI / 2 + 0.25)) < 1e-12);
  });

  describe('refuses', () => {
    const refuses = async (path: string, code: string, message: RegExp): Promise<void> => {
      await assert.rejects(readFrameFile(path), (error) => {
        assert.ok(error instanceof BdcError, String(error));
        assert.equal(error.code, code);
        assert.match(error.message, message);
        return true;
      });
    };
    const withCamera = (changes: object): object => ({
      timestamp: 0,
      cameras: { front: { ...camera, ...changes } },
    });

    it('a file that is not there', () =>
      refuses(join(folder, 'absent.json'), 'FRAME_FILE_MISSING', /frame file cannot be read.*absent\.json/));

    it('an image that is not there', () =>
      refuses(write(withCamera({ file: 'gone.jpg' })), 'FRAME_FILE_MISSING', /camera front.*gone\.jpg/));

    it('a LiDAR file that is not there, or is cut', async () => {
      const path = write({
        timestamp: 0,
        cameras: { front: camera },
        lidar: { file: 'lidar.bin', lidar2ego },
      });
      await refuses(path, 'FRAME_FILE_MISSING', /LiDAR.*lidar\.bin/);
      writeFileSync(join(folder, 'lidar.bin'), new Uint8Array(19));
      await refuses(path, 'FRAME_FILE_INVALID', /19 bytes.*multiple of 20/);
    });

    const malformed: readonly [string, unknown, RegExp][] = [
      ['what is not JSON', '{"timestamp":', /is not JSON/],
      ['a list', [], /document must be object/],
      ['no cameras', { timestamp: 0, cameras: {} }, /\/cameras must NOT have fewer than 1/],
      [
        'a missing field',
        { timestamp: 0, cameras: { front: { file: 'front.jpg' } } },
        /\/cameras\/front must have.*width/,
      ],
      ['no timestamp', { cameras: { front: camera } }, /must have required property 'timestamp'/],
      [
        'a K that is not 3×3',
        withCamera({ K: [[1, 2, 3]] }),
        /\/cameras\/front\/K must NOT have fewer than 3/,
      ],
      ['boxes without a LiDAR', { ...withCamera({}), boxes: [] }, /'lidar'/],
      [
        'a cam2ego that is no rotation',
        withCamera({ cam2ego: [[2, 0, 0, 0], ...cam2ego.slice(1)] }),
        /\/cameras\/front\/cam2ego must be a rotation/,
      ],
      [
        'a mirrored cam2ego',
        withCamera({ cam2ego: [[0, 0, -1, 0], ...cam2ego.slice(1)] }),
        /\/cameras\/front\/cam2ego must be a rotation/,
      ],
    ];
    for (const [what, document, message] of malformed) {
      it(what, () => refuses(write(document), 'FRAME_FILE_INVALID', message));
    }

    it('a calibration of zeros', () =>
      refuses(
        write(withCamera({ K: [0, 1, 2].map(() => [0, 0, 0]) })),
        'CAMERA_NOT_CALIBRATED',
        /camera front/,
      ));
  });
});
