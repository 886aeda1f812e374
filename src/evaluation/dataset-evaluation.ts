import { aboveGround, groundHeights } from './above-ground.js';
import { DetectionEvaluation } from './detection-evaluation.js';
import { checkedManifest, type EvaluatedManifest } from './evaluated-manifest.js';
import { OccupancyEvaluation, type OccupancyScores } from './occupancy-evaluation.js';
import { RayIouEvaluation } from './ray-iou.js';
import type { DatasetSample } from '../dataset/nuscenes-reader.js';
import type { SubmissionBox } from '../dataset/nuscenes-submission.js';
import { OCC3D_FREE, OCC3D_GRID, occ3dLabel } from '../dataset/occ3d.js';
import { downsampleLabels, upsampleLabels } from '../dataset/resample-labels.js';
import type { ModelManifest } from '../engine/manifest.js';
import { VoxelGrid } from '../geometry/voxel-grid.js';

export interface EvaluatedSample {
  readonly sample: DatasetSample;
  /** Predicted classes on Occ3D's grid, `[200][200][16]`. */
  readonly occ3d: Uint8Array;
  /** Predicted and true classes on the model's own grid, and where a camera sees them. */
  readonly own: { readonly labels: Uint8Array; readonly truth: Uint8Array; readonly mask: Uint8Array };
}

export interface Prediction {
  /** Classes on the model's own grid. */
  readonly labels: Uint8Array;
  readonly boxes: readonly SubmissionBox[];
}

const FLAT = new Set(
  (['driveable_surface', 'other_flat', 'sidewalk', 'terrain'] as const).map((name) => occ3dLabel(name)),
);

/** All figures over the samples of a data set; docs/evaluation.md defines them. Memory does not grow with the samples but for box scores. */
export class DatasetEvaluation {
  readonly #manifest: EvaluatedManifest;
  readonly #grid: VoxelGrid;
  /** On the model's grid and on Occ3D's, of the voxels that a camera sees and of all. */
  readonly #occupancy: Readonly<
    Record<'own' | 'occ3d', Readonly<Record<'visible' | 'all', OccupancyEvaluation>>>
  >;
  readonly #rays: RayIouEvaluation | undefined;
  readonly #detection: DetectionEvaluation | undefined;
  readonly #everywhere = { own: new Uint8Array(), occ3d: new Uint8Array(OCC3D_GRID.size).fill(1) };

  /** @throws BdcError of kind `model` if it cannot be scored with Occ3D's labels */
  constructor(manifest: ModelManifest, { rayIou }: { readonly rayIou: boolean }) {
    this.#manifest = checkedManifest(manifest);
    this.#grid = new VoxelGrid(manifest.grid);
    const classes = this.#manifest.occupancy.classes.length;
    const on = (grid: VoxelGrid) => ({
      visible: new OccupancyEvaluation(grid, classes, OCC3D_FREE),
      all: new OccupancyEvaluation(grid, classes, OCC3D_FREE),
    });
    this.#occupancy = { own: on(this.#grid), occ3d: on(OCC3D_GRID) };
    this.#everywhere.own = new Uint8Array(this.#grid.size).fill(1);
    this.#rays = rayIou ? new RayIouEvaluation(OCC3D_GRID, classes, OCC3D_FREE) : undefined;
    this.#detection = this.#manifest.detection && new DetectionEvaluation();
  }

  /** Confusions on the model's own grid, camera-visible voxels: row = true class, column = predicted class. */
  get confusion(): readonly (readonly number[])[] {
    return this.#occupancy.own.visible.confusion;
  }

  add(sample: DatasetSample, { labels, boxes }: Prediction): EvaluatedSample {
    const { own, occ3d } = this.#occupancy;
    const heights = groundHeights(OCC3D_GRID, sample.labels, FLAT);
    const fine = upsampleLabels(labels, this.#grid, OCC3D_GRID);
    const fineAbove = aboveGround(OCC3D_GRID, OCC3D_GRID, heights);
    occ3d.visible.add(fine, sample.labels, sample.cameraMask, fineAbove);
    occ3d.all.add(fine, sample.labels, this.#everywhere.occ3d, fineAbove);
    const coarseAbove = aboveGround(this.#grid, OCC3D_GRID, heights);
    const visible = this.#coarse(sample.labels, sample.cameraMask);
    own.visible.add(labels, visible.labels, visible.mask, coarseAbove);
    const all = this.#coarse(sample.labels, this.#everywhere.occ3d);
    own.all.add(labels, all.labels, this.#everywhere.own, coarseAbove);
    this.#rays?.add({
      prediction: fine,
      truth: sample.labels,
      origins: sample.rayOrigins,
      mask: sample.cameraMask,
    });
    this.#detection?.add({
      egoTranslation: sample.egoTranslation,
      predictions: boxes,
      truths: sample.objects,
      bicycleRacks: sample.bicycleRacks,
    });
    return { sample, occ3d: fine, own: { labels, truth: visible.labels, mask: visible.mask } };
  }

  /** Figures so far. Top level: camera-visible voxels of the model's own grid. */
  report() {
    const detection = this.#detection?.scores();
    return {
      ...this.#scored('own', 'visible'),
      all_voxels: this.#scored('own', 'all'),
      /** Predictions repeated on Occ3D's 0.4 m grid. */
      occ3d: { ...this.#scored('occ3d', 'visible'), all_voxels: this.#scored('occ3d', 'all') },
      ray_iou: this.#rays && { ...this.#rays.scores(), camera_visible: this.#rays.visibleScores() },
      map: detection?.map,
      nds: detection?.nds,
      ap_per_class: detection?.ap_per_class,
      tp_errors: detection?.tp_errors,
      detection: detection && {
        ap_per_distance: detection.ap_per_distance,
        tp_errors_per_class: detection.tp_errors_per_class,
        truths_per_class: detection.truths_per_class,
      },
      confusion: { classes: this.#names, counts: this.confusion },
    };
  }

  #coarse(labels: Uint8Array, mask: Uint8Array) {
    const { classes } = this.#manifest.occupancy;
    return downsampleLabels({ grid: OCC3D_GRID, labels, mask }, this.#grid, classes.length, OCC3D_FREE);
  }

  #scored(grid: 'own' | 'occ3d', voxels: 'visible' | 'all') {
    const evaluation = this.#occupancy[grid][voxels];
    return { ...this.#named(evaluation.scores()), prior: this.#named(evaluation.priorScores()) };
  }

  get #names(): readonly string[] {
    return this.#manifest.occupancy.classes.map(({ name }) => name);
  }

  #named({ iou_per_class, ...scores }: OccupancyScores) {
    const { free } = this.#manifest.occupancy;
    return {
      ...scores,
      iou_per_class: Object.fromEntries(
        this.#names.flatMap((name, label) => (label === free ? [] : [[name, iou_per_class[label]!]])),
      ) as Readonly<Record<string, number | null>>,
    };
  }
}

export type DatasetFigures = ReturnType<DatasetEvaluation['report']>;
