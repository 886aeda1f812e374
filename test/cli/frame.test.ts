import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { unzipSync } from 'fflate';
import sharp from 'sharp';

const run = promisify(execFile);
const repository = fileURLToPath(new URL('../../', import.meta.url));
const model = join(repository, 'test/fixtures/golden/network-six-cameras/model.safetensors');

/** Looks along +x from 1.5 m above base_link. */
const cam2ego = [
  [0, 0, 1, 0],
  [-1, 0, 0, 0],
  [0, -1, 0, 1.5],
  [0, 0, 0, 1],
];
const camera = {
  file: 'front.png',
  width: 128,
  height: 72,
  K: [
    [64, 0, 63.5],
    [0, 64, 35.5],
    [0, 0, 1],
  ],
  cam2ego,
};

describe('bdc-occ frame', function () {
  // Each case starts the program anew, which takes seconds on a busy machine.
  this.timeout(60_000);
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'frame-command-'));
  });

  after(() => rmSync(folder, { recursive: true }));

  const frame = (...args: readonly string[]): Promise<{ stdout: string; stderr: string }> =>
    run(process.execPath, ['--import', 'tsx', 'src/cli/main.ts', 'frame', ...args], { cwd: repository });

  async function writeFrame(name: string, cameras: object, more: object = {}): Promise<string> {
    const background = { r: 90, g: 120, b: 150 };
    await sharp({ create: { width: 128, height: 72, channels: 3, background } }).toFile(
      join(folder, 'front.png'),
    );
    const path = join(folder, name);
    writeFileSync(path, JSON.stringify({ timestamp: 12.5, cameras, ...more }));
    return path;
  }

  it('writes picture, voxels and boxes, and prints one JSON object', async () => {
    const path = await writeFrame('frame.json', { front: camera });
    const out = join(folder, 'new', 'out');
    const { stdout } = await frame(path, '--out', out, '--model', model, '--threads', '2', '--json');
    const report = JSON.parse(stdout) as {
      readonly model: string;
      readonly cameras: { readonly used: readonly string[] };
      readonly detections: number;
      readonly observed_voxels: number;
      readonly latency_ms: { readonly total: number };
      readonly out: Readonly<Record<'picture' | 'voxels' | 'boxes', string>>;
    };
    assert.equal(report.model, 'golden-6-camera-V3-real');
    assert.deepEqual(report.cameras.used, ['front']);
    assert.ok(report.latency_ms.total > 0);
    assert.deepEqual(report.out, {
      picture: join(out, 'picture.png'),
      voxels: join(out, 'voxels.npz'),
      boxes: join(out, 'boxes.json'),
    });
    assert.equal((await sharp(report.out.picture).metadata()).format, 'png');
    const boxes = JSON.parse(readFileSync(report.out.boxes, 'utf8')) as {
      readonly stamp_ns: string;
      readonly frame_id: string;
      readonly boxes: readonly { readonly label: string }[];
    };
    assert.deepEqual([boxes.stamp_ns, boxes.frame_id], ['12500000000', 'base_link']);
    assert.equal(boxes.boxes.length, report.detections);
    const voxels = unzipSync(readFileSync(report.out.voxels));
    assert.deepEqual(Object.keys(voxels).sort(), [
      'confidence.npy',
      'observed.npy',
      'range.npy',
      'semantics.npy',
    ]);
    const observed = voxels['observed.npy']!;
    assert.match(new TextDecoder('latin1').decode(observed), /'\|u1'.*'shape': \(8, 12, 2\)/);
    assert.equal(
      observed.subarray(-8 * 12 * 2).reduce((sum, seen) => sum + seen, 0),
      report.observed_voxels,
    );
    assert.match(new TextDecoder('latin1').decode(voxels['confidence.npy']), /'<f4'/);
  });

  it('shows LiDAR points and annotated boxes of the file beside what was found', async () => {
    writeFileSync(join(folder, 'lidar.bin'), new Uint8Array(Float32Array.of(3, 1, 0, 9, 1).buffer));
    const lidar2ego = [0, 1, 2, 3].map((row) => [0, 1, 2, 3].map((column) => (row === column ? 1 : 0)));
    const path = await writeFrame(
      'lidar.json',
      { front: camera },
      {
        lidar: { file: 'lidar.bin', lidar2ego },
        boxes: ['car', 'spaceship'].map((label) => ({ label, box_lidar: [4, 0, 0, 4, 2, 1.5, 0] })),
      },
    );
    const widths = await Promise.all(
      [await writeFrame('alone.json', { front: camera }), path].map(async (file, i) => {
        const out = join(folder, `panels-${i}`);
        await frame(file, '--out', out, '--model', model);
        return (await sharp(join(out, 'picture.png')).metadata()).width;
      }),
    );
    assert.ok(widths[1]! > 1.9 * widths[0]!, widths.join(', '));
  });

  it('goes on without a camera whose image is broken, and says so', async () => {
    writeFileSync(join(folder, 'broken.png'), 'no image');
    const path = await writeFrame('broken.json', { front: camera, rear: { ...camera, file: 'broken.png' } });
    const { stdout } = await frame(path, '--out', join(folder, 'broken'), '--model', model);
    assert.match(stdout, /cameras: front\n/);
    assert.match(stdout, /left out: camera rear: the image cannot be decoded/);
  });

  it('shows the shipped network a camera of another kind through virtual ones, unless told not to', async () => {
    const low = [...cam2ego.slice(0, 2), [0, -1, 0, 0.7], cam2ego[3]];
    const path = await writeFrame('other.json', { front: { ...camera, cam2ego: low } });
    const [seen, own] = await Promise.all([
      frame(path, '--out', join(folder, 'virtual')),
      frame(path, '--out', join(folder, 'own'), '--virtual-cameras', 'never'),
    ]);
    // 90° are more than the 64.6° of one trained view
    assert.match(seen.stdout, /cameras: front\nseen through 2 virtual cameras/);
    assert.match(own.stdout, /cameras: front\n\n/);
  });

  it('ends with one line and code 2 for input that cannot be used', async () => {
    const good = await writeFrame('good.json', { front: camera });
    const wrongSize = await writeFrame('size.json', { front: { ...camera, width: 127 } });
    const occupied = join(folder, 'occupied');
    writeFileSync(occupied, '');
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [[join(folder, 'none.json'), '--out', folder, '--model', model], /FRAME_FILE_MISSING/],
      [[good, '--out', folder, '--model', join(folder, 'none.safetensors')], /none\.safetensors/],
      [
        [wrongSize, '--out', folder, '--model', model],
        /127 × 72 images, found 128 × 72.*CAMERA_IMAGES_MISSING/,
      ],
      [[good, '--out', occupied, '--model', model], /OUTPUT_NOT_WRITABLE/],
      [
        [good, '--out', folder, '--model', model, '--virtual-cameras', 'always'],
        /no input\.trained_views.*VIRTUAL_CAMERAS_UNKNOWN/,
      ],
    ];
    await Promise.all(
      cases.map(([args, message]) =>
        assert.rejects(frame(...args), (error: { code: number; stdout: string; stderr: string }) => {
          assert.equal(error.code, 2, error.stderr);
          assert.equal(error.stdout, '');
          assert.match(error.stderr, message);
          assert.equal(error.stderr.trim().split('\n').length, 1, error.stderr);
          return true;
        }),
      ),
    );
    assert.ok(!existsSync(join(folder, 'picture.png')));
  });
});
