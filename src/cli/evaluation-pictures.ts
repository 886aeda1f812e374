import { join } from 'node:path';

import sharp from 'sharp';

import { writeAtomically } from '../atomic-file.js';
import type { ModelManifest } from '../engine/manifest.js';
import type { DatasetFigures, EvaluatedSample } from '../evaluation/dataset-evaluation.js';
import { RigidTransform } from '../geometry/rigid-transform.js';
import { VoxelGrid } from '../geometry/voxel-grid.js';
import type { PerceptionResult } from '../perception/types.js';
import { confusionPicture } from '../picture/confusion-picture.js';
import { ERROR_PALETTE, errorLabels } from '../picture/error-palette.js';
import { iouBars } from '../picture/iou-bars.js';
import { renderPicture } from '../picture/picture.js';
import type { PictureBox } from '../picture/types.js';

export interface PictureFlags {
  /** How many samples are drawn; none and no charts without it. */
  readonly pictures?: number;
  /** Folder for them. */
  readonly out: string;
}

/** Draws samples spread evenly over the data set, and charts of the figures. */
export class EvaluationPictures {
  readonly #manifest: ModelManifest;
  readonly #folder: string;
  readonly #chosen: ReadonlySet<number>;
  readonly #written: string[] = [];
  #seen = 0;

  /** @param total samples that will come */
  constructor(manifest: ModelManifest, { pictures = 0, out }: PictureFlags, total: number) {
    this.#manifest = manifest;
    this.#folder = out;
    this.#chosen = new Set(
      Array.from({ length: pictures }, (_, i) => Math.floor(((i + 0.5) * total) / pictures)),
    );
  }

  async add(evaluated: EvaluatedSample, result: PerceptionResult): Promise<void> {
    if (!this.#chosen.has(this.#seen++)) return;
    await this.#write(`${evaluated.sample.token}.png`, await this.#draw(evaluated, result));
  }

  /** Writes the charts. @returns all files written */
  async end(figures: DatasetFigures): Promise<readonly string[]> {
    if (this.#chosen.size === 0) return [];
    const { classes, counts } = figures.confusion;
    const bars = (this.#manifest.occupancy?.classes ?? []).flatMap(({ name, color }) => {
      const value = figures.iou_per_class[name];
      const prior = figures.prior.iou_per_class[name] ?? null;
      return value === undefined ? [] : [{ name, color, value, prior }];
    });
    for (const [name, svg] of [
      ['confusion', confusionPicture(classes, counts)],
      ['iou', iouBars(`${this.#manifest.name}: mIoU ${(100 * figures.miou).toFixed(1)} %`, bars)],
    ] as const) {
      await this.#write(`${name}.svg`, svg);
      await this.#write(`${name}.png`, await sharp(svg).png().toBuffer());
    }
    return this.#written;
  }

  async #write(name: string, content: Uint8Array): Promise<void> {
    const path = join(this.#folder, name);
    await writeAtomically(path, content);
    this.#written.push(path);
  }

  #draw({ sample, own }: EvaluatedSample, result: PerceptionResult): Promise<Buffer> {
    const { occupancy, detection, name } = this.#manifest;
    const { classes, free } = occupancy!;
    const grid = new VoxelGrid(this.#manifest.grid);
    const colors = new Map(detection?.classes.map((known) => [known.name, known.color]));
    const predicted = (result.detections ?? [])
      .filter((box) => box.score >= detection!.score_threshold)
      .map((box): PictureBox => ({ ...box, color: detection!.classes[box.label]!.color }));
    const baseFromGlobal = sample.globalFromBase.inverse();
    const trueBoxes = sample.objects.map((object): PictureBox => {
      const [w, x, y, z] = object.rotation;
      const [width, length, height] = object.size;
      const box = baseFromGlobal.compose(new RigidTransform([x, y, z, w], object.translation));
      const heading = box.rotate([1, 0, 0]);
      return {
        position: box.translation,
        size: [length, width, height],
        yaw: Math.atan2(heading[1], heading[0]),
        color: colors.get(object.detection_name) ?? [220, 224, 230],
      };
    });
    return renderPicture({
      title: `${name} · ${sample.scene}`,
      subtitle: `sample ${sample.token} · ${result.timings.total.toFixed(0)} ms`,
      rig: sample.rig,
      frame: sample.frame,
      imageBoxes: predicted,
      grid,
      panels: [
        {
          title: 'Prediction',
          boxes: predicted,
          occupancy: { grid, labels: own.labels, observed: own.mask },
        },
        { title: 'Truth', boxes: trueBoxes, occupancy: { grid, labels: own.truth, observed: own.mask } },
        {
          title: 'Errors',
          boxes: [],
          palette: ERROR_PALETTE,
          occupancy: { grid, labels: errorLabels(own.labels, own.truth, free), observed: own.mask },
        },
      ],
      classes,
      free,
    });
  }
}
