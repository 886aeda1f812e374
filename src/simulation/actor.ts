import type { DetectionClass } from '../dataset/occ3d.js';
import type { Road } from './ground.js';
import type { Model } from './models/model.js';
import type { Placement } from './solid.js';

/** How something moves over the ground; metres, seconds. */
export type Motion =
  | { readonly kind: 'still'; readonly at: Placement }
  /** Along a road at `speed` (m/s; negative: against its direction, facing that way). */
  | {
      readonly kind: 'road';
      readonly road: Road;
      readonly along: number;
      readonly across: number;
      readonly speed: number;
      readonly backward: boolean;
    }
  /** Straight ahead. */
  | { readonly kind: 'straight'; readonly at: Placement; readonly speed: number };

/** A thing that gets a box: a vehicle, a person, a cone, a barrier. */
export interface Actor {
  readonly kind: DetectionClass;
  readonly model: Model;
  readonly motion: Motion;
  /** On a bicycle or motorcycle. */
  readonly hasRider: boolean;
  readonly parked: boolean;
}

/** Where a motion has led after `time` seconds. */
export function placementAt(motion: Motion, time: number): Placement {
  switch (motion.kind) {
    case 'still':
      return motion.at;
    case 'road': {
      const at = motion.road.at(motion.along + motion.speed * time, motion.across);
      return motion.backward ? { ...at, yaw: at.yaw + Math.PI } : at;
    }
    case 'straight': {
      const way = motion.speed * time;
      const { x, y, yaw } = motion.at;
      return { x: x + Math.cos(yaw) * way, y: y + Math.sin(yaw) * way, yaw };
    }
  }
}

/** Velocity (m/s) in the world frame, by a central difference over 0.2 s. */
export function velocityAt(motion: Motion, time: number): readonly [number, number] {
  const step = 0.1;
  const before = placementAt(motion, time - step);
  const after = placementAt(motion, time + step);
  return [(after.x - before.x) / (2 * step), (after.y - before.y) / (2 * step)];
}

/** Turning rate (rad/s, left positive), by a central difference over 0.2 s. */
export function yawRateAt(motion: Motion, time: number): number {
  const step = 0.1;
  const turned = placementAt(motion, time + step).yaw - placementAt(motion, time - step).yaw;
  return turned / (2 * step);
}
