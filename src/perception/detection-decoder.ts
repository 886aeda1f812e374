import type { ModelManifest } from '../engine/manifest.js';
import type { EngineOutput } from '../engine/types.js';
import { rectangleIou } from '../geometry/oriented-rectangle.js';
import type { OrientedRectangle } from '../geometry/oriented-rectangle.js';
import { invalidOutput, outputData } from './output-tensors.js';
import type { Detection } from './types.js';

type DetectionManifest = Pick<ModelManifest, 'grid'> & Required<Pick<ModelManifest, 'detection'>>;

interface Peak {
  readonly label: number;
  readonly logit: number;
  /** Row-major index in the map. */
  readonly cell: number;
}

/** Channels of the box code; docs/model-format.md, "Detection targets". */
const BOX_CODE = { reg: 2, height: 1, dim: 3, rot: 2, vel: 2 } as const;

/**
 * Boxes out of the centre head's maps: local maxima of the heatmap (3 × 3, of their class), the best `max_candidates` above the score
 * threshold, then rotated non-maximum suppression in the ground plane. Before the comparison each rectangle is scaled by its class's
 * `nms_scale`, and all classes suppress each other: "scale-NMS" as BEVDet defines it (arXiv 2112.11790, section 3.3).
 */
export class DetectionDecoder {
  readonly #manifest: DetectionManifest;

  constructor(manifest: DetectionManifest) {
    this.#manifest = manifest;
  }

  /**
   * Boxes by falling score.
   * @throws BdcError `MODEL_OUTPUT_INVALID`
   */
  decode(output: EngineOutput): readonly Detection[] {
    const size = this.#mapSize(output);
    const peaks = this.#peaks(output, size);
    return this.#suppress(this.#boxes(output, size, peaks));
  }

  /** Rows and columns, which only the outputs tell. */
  #mapSize(output: EngineOutput): readonly [number, number] {
    const shape = output.tensors.get('heatmap')?.shape ?? [];
    return [shape[2] ?? 0, shape[3] ?? 0];
  }

  #peaks(output: EngineOutput, [rows, columns]: readonly [number, number]): readonly Peak[] {
    const { classes, score_threshold, max_candidates } = this.#manifest.detection;
    const heatmap = outputData(output, 'heatmap', Float32Array, [1, classes.length, rows, columns]);
    const threshold = Math.log(score_threshold / (1 - score_threshold));
    const area = rows * columns;
    const peaks: Peak[] = [];
    for (let i = 0; i < heatmap.length; i++) {
      const logit = heatmap[i]!;
      if (Number.isNaN(logit)) throw invalidOutput('heatmap', `is not a number at index ${i}`);
      if (logit < threshold) continue;
      const label = Math.floor(i / area);
      const cell = i % area;
      if (isLocalMaximum(heatmap.subarray(label * area, (label + 1) * area), cell, rows, columns)) {
        peaks.push({ label, logit, cell });
      }
    }
    return peaks.sort((a, b) => b.logit - a.logit).slice(0, max_candidates);
  }

  #boxes(
    output: EngineOutput,
    [rows, columns]: readonly [number, number],
    peaks: readonly Peak[],
  ): readonly Detection[] {
    const { min, max } = this.#manifest.grid;
    const [cellX, cellY] = [(max[0] - min[0]) / columns, (max[1] - min[1]) / rows];
    const area = rows * columns;
    const maps = Object.fromEntries(
      Object.entries(BOX_CODE).map(([role, channels]) => [
        role,
        outputData(output, role, Float32Array, [1, channels, rows, columns]),
      ]),
    ) as Record<keyof typeof BOX_CODE, Float32Array>;
    return peaks.map(({ label, logit, cell }) => {
      const at = (role: keyof typeof BOX_CODE, channel: number): number => {
        const value = maps[role][channel * area + cell]!;
        if (!Number.isFinite(value)) throw invalidOutput(role, `is ${value} at a peak of the heatmap`);
        return value;
      };
      const [row, column] = [Math.floor(cell / columns), cell % columns];
      return {
        label,
        score: 1 / (1 + Math.exp(-logit)),
        position: [
          min[0] + (column + at('reg', 0)) * cellX,
          min[1] + (row + at('reg', 1)) * cellY,
          at('height', 0),
        ],
        size: [Math.exp(at('dim', 0)), Math.exp(at('dim', 1)), Math.exp(at('dim', 2))],
        yaw: Math.atan2(at('rot', 0), at('rot', 1)),
        velocity: [at('vel', 0), at('vel', 1)],
      };
    });
  }

  #suppress(boxes: readonly Detection[]): readonly Detection[] {
    const { classes, nms_threshold } = this.#manifest.detection;
    const kept: { readonly box: Detection; readonly rectangle: OrientedRectangle }[] = [];
    for (const box of boxes) {
      const scale = classes[box.label]!.nms_scale;
      const rectangle = {
        center: [box.position[0], box.position[1]],
        length: box.size[0] * scale,
        width: box.size[1] * scale,
        yaw: box.yaw,
      } as const;
      if (kept.every((better) => rectangleIou(better.rectangle, rectangle) <= nms_threshold)) {
        kept.push({ box, rectangle });
      }
    }
    return kept.map(({ box }) => box);
  }
}

/** Whether no neighbour is larger; of equal neighbours the first in row-major order counts. */
function isLocalMaximum(map: Float32Array, cell: number, rows: number, columns: number): boolean {
  const [row, column] = [Math.floor(cell / columns), cell % columns];
  const value = map[cell]!;
  for (let r = Math.max(0, row - 1); r <= Math.min(rows - 1, row + 1); r++) {
    for (let c = Math.max(0, column - 1); c <= Math.min(columns - 1, column + 1); c++) {
      const other = r * columns + c;
      if (map[other]! > value || (map[other] === value && other < cell)) return false;
    }
  }
  return true;
}
