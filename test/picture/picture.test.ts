import assert from 'node:assert/strict';

import sharp from 'sharp';

import type { Rgb } from '../../src/engine/manifest.js';
import { VoxelGrid } from '../../src/geometry/voxel-grid.js';
import type { CameraImage } from '../../src/perception/types.js';
import { BirdEyeView } from '../../src/picture/bird-eye-view.js';
import { renderPicture } from '../../src/picture/picture.js';
import { FREE, UNKNOWN, UNKNOWN_HATCH } from '../../src/picture/theme.js';
import type { PictureBox, PictureOptions } from '../../src/picture/types.js';
import { frontAndRear } from '../perception/rig.js';

const RED: Rgb = [200, 0, 0];
const GREEN: Rgb = [0, 200, 0];
const FREE_LABEL = 2;
const classes = [
  { name: 'car', color: RED, traversable: false },
  { name: 'terrain', color: GREEN, traversable: true },
  { name: 'free', color: [0, 0, 0], traversable: true },
] as const;
/** 8 m ahead and behind, 4 m to each side. */
const grid = new VoxelGrid({ min: [-8, -4, -1], max: [8, 4, 3], shape: [16, 8, 4] });

function occupancyWith(voxels: readonly (readonly [number, number, number, number])[]): {
  readonly grid: VoxelGrid;
  readonly labels: Uint8Array;
  readonly observed: Uint8Array;
} {
  const labels = new Uint8Array(grid.size).fill(FREE_LABEL);
  for (const [x, y, z, label] of voxels) labels[grid.indexOf([x, y, z])!] = label;
  return { grid, labels, observed: new Uint8Array(grid.size).fill(1) };
}

const grey: CameraImage = {
  kind: 'raw',
  stamp: 0n,
  width: 160,
  height: 90,
  encoding: 'mono8',
  step: 160,
  isBigEndian: false,
  data: new Uint8Array(160 * 90).fill(100),
};

describe('BirdEyeView', () => {
  const view = new BirdEyeView(grid, 80);

  const colorAt = (panel: Parameters<typeof view.render>[0], x: number, y: number): readonly number[] => {
    const { data, width } = view.render(panel, classes, FREE_LABEL);
    const [u, v] = view.toPixel(x, y).map(Math.floor) as [number, number];
    return [...data.subarray((v * width + u) * 3, (v * width + u) * 3 + 3)];
  };
  const strongest = (color: readonly number[]): number => color.indexOf(Math.max(...color));

  it('has x upwards, y to the left, and square cells', () => {
    assert.deepEqual([view.width, view.height], [80, 160]);
    assert.deepEqual(view.toPixel(8, 4), [0, 0]);
    assert.deepEqual(view.toPixel(-8, -4), [80, 160]);
  });

  it('shows the topmost voxel that is not free', () => {
    const occupancy = occupancyWith([
      [5.5, 2.5, -0.5, 1],
      [5.5, 2.5, 1.5, 0],
      [-5.5, -2.5, -0.5, 1],
    ]);
    const panel = { title: '', occupancy, boxes: [] };
    assert.equal(strongest(colorAt(panel, 5.5, 2.5)), 0);
    assert.equal(strongest(colorAt(panel, -5.5, -2.5)), 1);
    assert.deepEqual(colorAt(panel, 0.5, 0.5), FREE);
  });

  it('shows nothing of voxels that no camera observes, and a column without any as unknown', () => {
    const occupancy = occupancyWith([
      [5.5, 2.5, -0.5, 1],
      [5.5, 2.5, 1.5, 0],
      [0.5, 0.5, -0.5, 0],
    ]);
    occupancy.observed[grid.indexOf([5.5, 2.5, 1.5])!] = 0;
    for (let k = 0; k < 4; k++) occupancy.observed[grid.indexOf([0.5, 0.5, -0.5 + k])!] = 0;
    const panel = { title: '', occupancy, boxes: [] };
    assert.equal(strongest(colorAt(panel, 5.5, 2.5)), 1);
    const unknown = colorAt(panel, 0.5, 0.5);
    assert.ok(
      [UNKNOWN, UNKNOWN_HATCH].some((color) => color.join() === unknown.join()),
      unknown.join(),
    );
  });

  it('shows LiDAR points where they are, and none outside of the grid', () => {
    const points = Float32Array.of(5.05, 2.05, 0, 50, 0, 0, 0, 0, 9);
    const panel = { title: '', points, boxes: [] };
    const isUnknown = (color: readonly number[]): boolean =>
      [UNKNOWN, UNKNOWN_HATCH].some((other) => other.join() === color.join());
    assert.ok(!isUnknown(colorAt(panel, 5.05, 2.05)));
    assert.ok(isUnknown(colorAt(panel, 0.05, 0.05)));
    assert.ok(isUnknown(colorAt(panel, 5.05, -2.05)));
  });
});

describe('renderPicture', () => {
  const box: PictureBox = { position: [5, 0, 1], size: [3, 2, 1.5], yaw: 0.3, color: [255, 0, 255] };
  const panel = { title: 'Prediction', occupancy: occupancyWith([]), boxes: [box] };
  const options: PictureOptions = {
    title: 'test <&> "picture"',
    rig: frontAndRear,
    frame: { stamp: 0n, images: [grey, grey] },
    imageBoxes: [],
    grid,
    panels: [panel],
    classes,
    free: FREE_LABEL,
  };
  const countOf = async (png: Buffer, [r, g, b]: Rgb): Promise<number> => {
    const data = await sharp(png).removeAlpha().raw().toBuffer();
    let count = 0;
    for (let i = 0; i < data.length; i += 3) {
      if (data[i] === r && data[i + 1] === g && data[i + 2] === b) count++;
    }
    return count;
  };

  it('is a PNG of the same bytes for the same input, wider for two panels', async () => {
    const [once, again, two] = await Promise.all([
      renderPicture(options),
      renderPicture(options),
      renderPicture({ ...options, panels: [panel, { title: 'Ground truth', boxes: [] }] }),
    ]);
    assert.ok(once.equals(again));
    const { format, width } = await sharp(once).metadata();
    assert.equal(format, 'png');
    assert.ok((await sharp(two).metadata()).width > 1.9 * width);
  });

  it('draws boxes from above, and into the images of the cameras that see them', async () => {
    const [none, above, both] = await Promise.all([
      renderPicture({ ...options, panels: [{ ...panel, boxes: [] }] }),
      renderPicture(options),
      renderPicture({ ...options, imageBoxes: [box] }),
    ]);
    const counts = await Promise.all([none, above, both].map((png) => countOf(png, box.color)));
    assert.ok(counts[0] === 0 && counts[1]! > 100 && counts[2]! > counts[1]! + 100, counts.join(', '));
  });

  it('draws nothing of a box behind the camera', async () => {
    const behind: PictureBox = { ...box, position: [5, 0, 1] };
    const frontOnly = { baseFrame: 'base_link', cameras: [frontAndRear.cameras[1]!] };
    const png = await renderPicture({
      ...options,
      rig: frontOnly,
      frame: { stamp: 0n, images: [grey] },
      imageBoxes: [behind],
      panels: [{ ...panel, boxes: [] }],
    });
    assert.equal(await countOf(png, box.color), 0);
  });

  it('shows a camera without an image, or with a broken one, empty', async () => {
    const broken: CameraImage = { kind: 'compressed', stamp: 0n, data: Uint8Array.of(1, 2, 3) };
    const [full, without, withBroken] = await Promise.all(
      [grey, undefined, broken].map((image) =>
        renderPicture({ ...options, frame: { stamp: 0n, images: [grey, image] } }),
      ),
    );
    assert.ok(without!.equals(withBroken!));
    const [all, one] = await Promise.all([full!, without!].map((png) => countOf(png, [100, 100, 100])));
    assert.ok(one! > 1000 && Math.abs(all! / one! - 2) < 0.05, `${all}, ${one}`);
  });
});
