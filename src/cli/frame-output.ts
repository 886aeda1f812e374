import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { FrameFile } from '../dataset/frame-file.js';
import { encodeNpz } from '../dataset/npz.js';
import type { ModelManifest, Rgb } from '../engine/manifest.js';
import type { Engine } from '../engine/types.js';
import { BdcError } from '../errors.js';
import { VoxelGrid } from '../geometry/voxel-grid.js';
import type { Occupancy, PerceptionResult } from '../perception/types.js';
import { renderPicture } from '../picture/picture.js';
import type { PictureBox, PicturePanel } from '../picture/types.js';

export interface FrameOutput {
  readonly file: FrameFile;
  readonly engine: Engine;
  readonly result: PerceptionResult;
}

/** Of annotated classes that the model does not have. */
const OTHER_COLOR: Rgb = [220, 224, 230];

/**
 * Writes what was found in a frame into a folder (docs/frame-file.md).
 * @returns paths of the written files by what they hold
 * @throws BdcError `OUTPUT_NOT_WRITABLE`
 */
export async function writeFrameOutput(
  folder: string,
  output: FrameOutput,
): Promise<Readonly<Record<string, string>>> {
  const { result, engine } = output;
  const files: Readonly<Record<string, readonly [string, Uint8Array | string] | undefined>> = {
    picture: ['picture.png', await pictureOf(output)],
    voxels: result.occupancy && ['voxels.npz', await voxelsOf(result.occupancy)],
    boxes: result.detections && ['boxes.json', boxesOf(result, engine.manifest)],
  };
  const written: Record<string, string> = {};
  try {
    await mkdir(folder, { recursive: true });
    for (const [what, entry] of Object.entries(files)) {
      if (entry === undefined) continue;
      written[what] = join(folder, entry[0]);
      await writeFile(written[what], entry[1]);
    }
  } catch (cause) {
    throw new BdcError('configuration', {
      code: 'OUTPUT_NOT_WRITABLE',
      message: `the output folder cannot be written: ${(cause as Error).message}; choose another --out`,
      cause,
    });
  }
  return written;
}

function voxelsOf({ grid, labels, confidence, observed }: Occupancy): Promise<Buffer> {
  const { shape, min, max } = grid;
  return encodeNpz({
    semantics: { shape, data: labels },
    confidence: { shape, data: confidence },
    observed: { shape, data: observed },
    range: { shape: [6], data: Float32Array.of(...min, ...max) },
  });
}

function boxesOf({ stamp, frameId, detections = [] }: PerceptionResult, manifest: ModelManifest): string {
  const boxes = detections.map(({ label, ...box }) => ({
    label: manifest.detection?.classes[label]?.name,
    ...box,
  }));
  return `${JSON.stringify({ stamp_ns: stamp.toString(), frame_id: frameId, boxes }, null, 2)}\n`;
}

function pictureOf({ file, engine: { manifest, isa, threads }, result }: FrameOutput): Promise<Buffer> {
  const { occupancy, detections = [], timings } = result;
  const classes = manifest.detection?.classes ?? [];
  const boxes = detections.map((box): PictureBox => ({ ...box, color: classes[box.label]!.color }));
  const prediction: PicturePanel = {
    title: [occupancy && 'Voxels', result.detections && 'boxes'].filter(Boolean).join(' and '),
    boxes,
    ...(occupancy && { occupancy }),
  };
  const reference = referenceOf(file, classes);
  return renderPicture({
    title: `bdc_occ · ${manifest.name}`,
    subtitle: `${timings.total.toFixed(0)} ms a frame · ${isa}, ${threads} threads · ${boxes.length} boxes`,
    rig: file.rig,
    frame: file.frame,
    imageBoxes: boxes,
    grid: new VoxelGrid(manifest.grid),
    panels: reference === undefined ? [prediction] : [prediction, reference],
    classes: manifest.occupancy?.classes ?? classes,
    free: manifest.occupancy?.free,
  });
}

/** What the file itself tells of the surroundings. */
function referenceOf(
  { boxes, points }: FrameFile,
  classes: readonly { readonly name: string; readonly color: Rgb }[],
): PicturePanel | undefined {
  if (boxes.length === 0 && points === undefined) return undefined;
  return {
    title: 'LiDAR and annotated boxes',
    boxes: boxes.map((box) => ({
      ...box,
      color: classes.find(({ name }) => name === box.label)?.color ?? OTHER_COLOR,
    })),
    ...(points && { points }),
  };
}
