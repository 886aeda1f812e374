import { occ3dLabel } from '../dataset/occ3d.js';
import type { Occ3dClass } from '../dataset/occ3d.js';
import type { HeightField } from './height-field.js';
import type { Color, Placement } from './solid.js';

export interface RoadOptions {
  readonly origin: Placement;
  /** 1/m; positive turns left. */
  readonly curvature: number;
  /** Stretch of the road's own x axis that is road, metres. */
  readonly begin: number;
  readonly end: number;
  readonly lanes: number;
  readonly laneWidth: number;
  /** Width of the grass strip and of the sidewalk on each side. */
  readonly verge: number;
  readonly sidewalk: number;
  /** Half width of a kerbed median, 0 = none. */
  readonly median: number;
}

/**
 * A road along the parabola y = curvature · x² / 2 of its own frame: near enough to an arc within the simulated range, and distances to
 * it need no trigonometry.
 */
export class Road {
  readonly options: RoadOptions;
  readonly halfWidth: number;
  /** From the centre line to the outer edge of the sidewalk. */
  readonly halfCorridor: number;
  readonly #cos: number;
  readonly #sin: number;

  constructor(options: RoadOptions) {
    this.options = options;
    this.halfWidth = (options.lanes * options.laneWidth) / 2;
    this.halfCorridor = this.halfWidth + options.verge + options.sidewalk;
    this.#cos = Math.cos(options.origin.yaw);
    this.#sin = Math.sin(options.origin.yaw);
  }

  /** Width of a lane: lanes share what the median leaves. */
  get laneWidth(): number {
    return (this.halfWidth - this.options.median) / (this.options.lanes / 2);
  }

  /** The pose `along` metres from the origin and `across` metres to the left of the centre line, facing along the road. */
  at(along: number, across: number): Placement {
    const { origin, curvature } = this.options;
    const heading = Math.atan(curvature * along);
    const x = along - Math.sin(heading) * across;
    const y = (curvature * along * along) / 2 + Math.cos(heading) * across;
    return {
      x: origin.x + this.#cos * x - this.#sin * y,
      y: origin.y + this.#sin * x + this.#cos * y,
      yaw: origin.yaw + heading,
    };
  }

  /** Distance of a point from the centre line; infinite beyond the road's ends. */
  distance(x: number, y: number): number {
    const { origin, curvature, begin, end } = this.options;
    const dx = x - origin.x;
    const dy = y - origin.y;
    const along = dx * this.#cos + dy * this.#sin;
    if (along < begin || along > end) return Infinity;
    const slope = curvature * along;
    return Math.abs(dy * this.#cos - dx * this.#sin - (slope * along) / 2) / Math.sqrt(1 + slope * slope);
  }

  pack(): number[] {
    const { origin, curvature, begin, end, verge, sidewalk, median, lanes } = this.options;
    return [
      ...[origin.x, origin.y, this.#cos, this.#sin, curvature, begin, end],
      ...[this.halfWidth, verge, sidewalk, median, lanes],
    ];
  }
}

const PATCH_STYLES = ['plain', 'zebra', 'slabs', 'parking'] as const;

/** A rectangle on the ground that overrides what the roads say; later ones lie on top. */
export interface Patch {
  readonly at: Placement;
  readonly size: readonly [number, number];
  readonly label: Occ3dClass & ('driveable_surface' | 'other_flat' | 'sidewalk' | 'terrain');
  readonly style: (typeof PATCH_STYLES)[number];
  readonly color: Color;
}

export interface GroundColors {
  readonly asphalt: Color;
  readonly sidewalk: Color;
  readonly terrain: Color;
  readonly mark: Color;
}

/** Terrain crossed by roads, with patches on top, all draped over the hills. */
export interface Ground {
  readonly hills: HeightField;
  readonly roads: readonly Road[];
  readonly patches: readonly Patch[];
  readonly colors: GroundColors;
  readonly seed: number;
}

/** The arrays that native/addon/simulation_binding.cc reads. */
export function packGround(ground: Ground): {
  readonly roads: Float32Array;
  readonly patches: Float32Array;
  readonly ground: Float32Array;
  readonly heights: Float32Array;
} {
  const patches = ground.patches.flatMap((patch) => [
    ...[patch.at.x, patch.at.y, Math.cos(patch.at.yaw), Math.sin(patch.at.yaw)],
    ...[patch.size[0] / 2, patch.size[1] / 2],
    ...[occ3dLabel(patch.label), PATCH_STYLES.indexOf(patch.style), ...patch.color],
  ]);
  const { hills } = ground;
  const { asphalt, sidewalk, terrain, mark } = ground.colors;
  return {
    roads: Float32Array.from(ground.roads.flatMap((road) => road.pack())),
    patches: Float32Array.from(patches),
    ground: Float32Array.from([
      ...asphalt,
      ...sidewalk,
      ...terrain,
      ...mark,
      ground.seed,
      hills.originX,
      hills.originY,
      hills.spacing,
    ]),
    heights: hills.heights,
  };
}
