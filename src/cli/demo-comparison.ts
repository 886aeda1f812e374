import { matchBoxes } from '../evaluation/box-matching.js';
import { OccupancyEvaluation } from '../evaluation/occupancy-evaluation.js';
import { VoxelGrid } from '../geometry/voxel-grid.js';
import type { CameraFrame, CameraRig, PerceptionResult, StampNs } from '../perception/types.js';
import { renderPicture } from '../picture/picture.js';
import type { PictureBox } from '../picture/types.js';
import type { FrameTruth } from '../simulation/recorded-truth.js';
import type { OccupancyManifest } from './occupancy-manifest.js';
import type { ReplayReport } from './replay-summary.js';

interface ComparedFrame {
  readonly rig: CameraRig;
  readonly frame: CameraFrame;
  readonly result: PerceptionResult;
  readonly truth: FrameTruth;
}

/** A box counts as found if one of its class is predicted less than this far away, in metres (nuScenes' middle threshold). */
const MATCH_DISTANCE = 2;

/** Collects the results of a simulated drive beside its ground truth. */
export class DemoComparison {
  readonly #manifest: OccupancyManifest;
  readonly #truth: ReadonlyMap<StampNs, FrameTruth>;
  readonly #occupancy: OccupancyEvaluation;
  readonly #boxes = { matched: 0, truths: 0, predictions: 0 };
  #compared = 0;
  /** Of the drive's first half, the last one: only it is kept, with its images. */
  #middle: ComparedFrame | undefined;

  constructor(manifest: OccupancyManifest, truth: ReadonlyMap<StampNs, FrameTruth>) {
    const { classes, free } = manifest.occupancy;
    this.#manifest = manifest;
    this.#truth = truth;
    this.#occupancy = new OccupancyEvaluation(new VoxelGrid(manifest.grid), classes.length, free);
  }

  add(rig: CameraRig, frame: CameraFrame, result: PerceptionResult): void {
    const truth = this.#truth.get(result.stamp);
    if (truth === undefined || result.occupancy === undefined) return;
    this.#occupancy.add(result.occupancy.labels, truth.labels, truth.mask);
    const names = this.#manifest.detection?.classes.map(({ name }) => name) ?? [];
    const boxes = truth.boxes.map(({ name, position }) => ({ label: names.indexOf(name), position }));
    const { matched, truths, predictions } = matchBoxes(result.detections ?? [], boxes, MATCH_DISTANCE);
    this.#boxes.matched += matched;
    this.#boxes.truths += truths;
    this.#boxes.predictions += predictions;
    if (this.#compared++ <= this.#truth.size / 2) this.#middle = { rig, frame, result, truth };
  }

  /** Figures over all frames, and lines that print them. */
  report() {
    const { classes, free } = this.#manifest.occupancy;
    const { miou, occupied_iou, iou_per_class } = this.#occupancy.scores();
    const { matched, truths, predictions } = this.#boxes;
    const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
    const byClass = Object.fromEntries(
      classes.flatMap(({ name }, i) =>
        i === free || iou_per_class[i] == null ? [] : [[name, iou_per_class[i]]],
      ),
    );
    return {
      frames_compared: this.#compared,
      miou,
      occupied_iou,
      iou_per_class: byClass,
      boxes: this.#boxes,
      lines: [
        `agreement  mIoU ${percent(miou)}, occupied IoU ${percent(occupied_iou)} over ${this.#compared} frames`,
        "           of this one street; over many worlds: the model's card (models/edge/README.md of the shipped one)",
        ...Object.entries(byClass).map(([name, iou]) => `  ${name.padEnd(22)}${percent(iou).padStart(8)}`),
        `boxes      ${matched} of ${truths} true ones found within ${MATCH_DISTANCE} m, ${predictions - matched} others predicted`,
      ],
    };
  }

  /** The middle frame: images, prediction and truth side by side. PNG. */
  picture({ isa, threads, latency_ms: latency }: ReplayReport): Promise<Buffer> {
    const { rig, frame, result, truth } = this.#middle!;
    const { detection, occupancy, name } = this.#manifest;
    const classes = detection?.classes ?? [];
    const predicted = (result.detections ?? []).map((box): PictureBox => ({
      ...box,
      color: classes[box.label]!.color,
    }));
    const trueBoxes = truth.boxes.map((box): PictureBox => {
      const color = classes.find((known) => known.name === box.name)?.color;
      return { ...box, color: color ?? [220, 224, 230] };
    });
    const grid = new VoxelGrid(this.#manifest.grid);
    return renderPicture({
      title: `bdc_occ · ${name} · a simulated street`,
      subtitle: `${latency.p50.toFixed(0)} ms a frame · ${isa}, ${threads} threads · no GPU`,
      rig,
      frame,
      imageBoxes: predicted,
      grid,
      panels: [
        { title: 'What the network sees', boxes: predicted, occupancy: result.occupancy! },
        {
          title: 'Ground truth, where a camera sees it',
          boxes: trueBoxes,
          occupancy: { grid, labels: truth.labels, observed: truth.mask },
        },
      ],
      classes: occupancy.classes,
      free: occupancy.free,
    });
  }
}
