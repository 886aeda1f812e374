import { RigidTransform } from '../geometry/rigid-transform.js';
import type { Random } from './random.js';
import type { Placement } from './solid.js';

/** Metres between the points of a height field, and points per side. */
const SPACING = 4;
const SIDE = 85;
/** Share of the scenes that stay level, and the steepest slope (rise over run) of the others. */
const LEVEL_SHARE = 0.15;
const STEEPEST = 0.085;

/** Heights on a square grid, bilinear between its points, constant beyond its edges; metres, world frame. */
export class HeightField {
  /** Of point (0, 0). */
  readonly originX: number;
  readonly originY: number;
  readonly spacing = SPACING;
  readonly side = SIDE;
  /** `[side, side]`, y before x. */
  readonly heights: Float32Array;

  /** Samples `height` in a square round a point. */
  constructor(centerX: number, centerY: number, height: (x: number, y: number) => number) {
    // Whole metres, which a float32 holds exactly.
    this.originX = Math.round(centerX) - ((SIDE - 1) * SPACING) / 2;
    this.originY = Math.round(centerY) - ((SIDE - 1) * SPACING) / 2;
    this.heights = Float32Array.from({ length: SIDE * SIDE }, (_, i) =>
      height(this.originX + (i % SIDE) * SPACING, this.originY + Math.floor(i / SIDE) * SPACING),
    );
  }

  at(x: number, y: number): number {
    const u = Math.min(Math.max((x - this.originX) / SPACING, 0), SIDE - 1);
    const v = Math.min(Math.max((y - this.originY) / SPACING, 0), SIDE - 1);
    const column = Math.min(Math.floor(u), SIDE - 2);
    const row = Math.min(Math.floor(v), SIDE - 2);
    const h = (r: number, c: number) => this.heights[r * SIDE + c]!;
    const low = h(row, column) + (h(row, column + 1) - h(row, column)) * (u - column);
    const high = h(row + 1, column) + (h(row + 1, column + 1) - h(row + 1, column)) * (u - column);
    return low + (high - low) * (v - row);
  }

  /**
   * The pose of something with a footprint `length` × `width` that lies on the ground: pitch and roll follow the slopes from end to end;
   * `middle`: where along its x axis the footprint's middle lies.
   */
  poseOn({ x, y, yaw }: Placement, length: number, width: number, middle = 0): RigidTransform {
    const [c, s] = [Math.cos(yaw), Math.sin(yaw)];
    const at = (u: number, v: number) => this.at(x + c * u - s * v, y + s * u + c * v);
    const [front, rear] = [at(middle + length / 2, 0), at(middle - length / 2, 0)];
    const along = (front - rear) / length;
    const across = (at(middle, width / 2) - at(middle, -width / 2)) / width;
    const n = Math.sqrt(1 + along * along);
    const forward = [c / n, s / n, along / n] as const;
    // Up: across the forward direction and the slope to the left.
    const up = normalized(cross(forward, [-s, c, across]));
    const left = cross(up, forward);
    const z = (front + rear) / 2 - along * middle;
    return RigidTransform.fromMatrix(
      [forward[0], left[0], up[0], forward[1], left[1], up[1], forward[2], left[2], up[2]],
      [x, y, z],
    );
  }
}

/** Gentle hills: three waves of 70 … 260 m in any direction, together no steeper than the scene's limit. */
export function randomHills(random: Random, centerX: number, centerY: number): HeightField {
  const steepest = random.chance(LEVEL_SHARE) ? 0 : random.uniform(0.012, STEEPEST);
  const shares = [random.uniform(0.5, 1), random.uniform(0.2, 0.7), random.uniform(0, 0.4)];
  const total = shares.reduce((sum, share) => sum + share, 0);
  const waves = shares.map((share, i) => {
    const frequency = (2 * Math.PI) / random.uniform(i === 0 ? 130 : 70, i === 0 ? 260 : 150);
    const heading = random.uniform(0, 2 * Math.PI);
    return {
      kx: frequency * Math.cos(heading),
      ky: frequency * Math.sin(heading),
      phase: random.uniform(0, 2 * Math.PI),
      amplitude: (steepest * share) / total / frequency,
    };
  });
  return new HeightField(centerX, centerY, (x, y) =>
    waves.reduce(
      (sum, { kx, ky, phase, amplitude }) => sum + amplitude * Math.sin(kx * x + ky * y + phase),
      0,
    ),
  );
}

type Triple = readonly [number, number, number];

function cross(a: Triple, b: Triple): [number, number, number] {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

function normalized([x, y, z]: Triple): [number, number, number] {
  const length = Math.sqrt(x * x + y * y + z * z);
  return [x / length, y / length, z / length];
}
