import type { Occ3dClass } from '../dataset/occ3d.js';
import { RigidTransform } from '../geometry/rigid-transform.js';
import type { Actor } from './actor.js';
import type { Patch, Road } from './ground.js';
import type { HeightField } from './height-field.js';
import type { Model } from './models/model.js';
import type { Random } from './random.js';
import type { Placement, Solid } from './solid.js';
import { SolidList } from './solid.js';

interface Disc {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
}

/** Metres: scenery whose top is lower tilts with the ground. */
const LOW = 2.2;
/** Metres above the ground below which a solid of scenery stands on it. */
const GAP = 0.3;
/** Metres that the ego vehicle's way is wide. */
const EGO_WAY = 2.6;

/** A street under construction: what has been placed, and where there is still room. */
export class Site {
  readonly random: Random;
  /** The first is the one that the ego vehicle drives on. */
  readonly roads: readonly Road[];
  /** Where on the main road the ego vehicle is at time 0. */
  readonly egoAlong: number;
  /** Of the ego vehicle's way along the main road, left of its centre line. */
  readonly egoAcross: number;
  readonly scenery = new SolidList();
  readonly hills: HeightField;
  readonly actors: Actor[] = [];
  readonly patches: Patch[] = [];
  readonly #taken: Disc[] = [];

  constructor(
    random: Random,
    roads: readonly Road[],
    ego: { readonly along: number; readonly across: number },
    hills: HeightField,
  ) {
    this.hills = hills;
    this.random = random;
    this.roads = roads;
    this.egoAlong = ego.along;
    this.egoAcross = ego.across;
  }

  get main(): Road {
    return this.roads[0]!;
  }

  /** Whether a rectangle is clear of all that was claimed. */
  isFree(at: Placement, length: number, width: number): boolean {
    return discs(at, length, width).every((disc) =>
      this.#taken.every(
        (other) => Math.hypot(disc.x - other.x, disc.y - other.y) >= disc.radius + other.radius,
      ),
    );
  }

  claim(at: Placement, length: number, width: number): void {
    this.#taken.push(...discs(at, length, width));
  }

  /** Whether a rectangle keeps clear of every road's corridor by `margin` metres. */
  isOffRoad(at: Placement, length: number, width: number, margin: number, except?: Road): boolean {
    return discs(at, length, width).every((disc) =>
      this.roads.every(
        (road) =>
          road === except || road.distance(disc.x, disc.y) >= road.halfCorridor + margin + disc.radius,
      ),
    );
  }

  /** Whether a point lies on the carriageway of a road other than `except`. */
  isOnRoad(at: Placement, margin: number, except?: Road): boolean {
    return this.roads.some((road) => road !== except && road.distance(at.x, at.y) < road.halfWidth + margin);
  }

  /** Whether something `width` wide, `across` metres left of the main road's centre line, stands in the ego vehicle's way. */
  blocksEgo(across: number, width: number): boolean {
    return Math.abs(across - this.egoAcross) < EGO_WAY / 2 + width / 2;
  }

  /** Adds an actor where there is room for it. */
  tryAddActor(actor: Actor, at: Placement, clearance = 0.3): boolean {
    const [length, width] = actor.model.size;
    if (!this.isFree(at, length + 2 * clearance, width + 2 * clearance)) return false;
    this.claim(at, length + clearance, width + clearance);
    this.actors.push(actor);
    return true;
  }

  /** Adds an actor that does not move, where there is room for it. */
  tryPark(kind: Actor['kind'], model: Model, at: Placement, clearance = 0.15): boolean {
    return this.tryAddActor(
      { kind, model, motion: { kind: 'still', at }, hasRider: false, parked: true },
      at,
      clearance,
    );
  }

  /** Adds scenery: low things lie on the ground and tilt with it, tall ones stand upright with no gap below them. */
  addScenery(solids: readonly Solid[], at: Placement, label: Occ3dClass): void {
    const standing = solids.filter(({ center, size }) => center[2] - size[2] / 2 < GAP);
    const reach = (axis: 0 | 1) =>
      Math.max(0.2, ...standing.map(({ center, size }) => 2 * Math.abs(center[axis]) + size[axis]));
    const [length, width] = [reach(0), reach(1)];
    const top = Math.max(...solids.map(({ center, size }) => center[2] + size[2] / 2));
    if (top < LOW) {
      this.scenery.add(solids, this.hills.poseOn(at, length, width), label);
      return;
    }
    const [c, s] = [Math.cos(at.yaw), Math.sin(at.yaw)];
    const corners = [-0.5, 0.5].flatMap((u) => [-0.5, 0.5].map((v) => [u * length, v * width] as const));
    const z = Math.min(...corners.map(([u, v]) => this.hills.at(at.x + c * u - s * v, at.y + s * u + c * v)));
    this.scenery.add(solids, RigidTransform.fromYaw(at.yaw, [at.x, at.y, z]), label);
  }

  /** Adds scenery where there is room for its footprint. */
  tryAddScenery(
    solids: readonly Solid[],
    at: Placement,
    label: Occ3dClass,
    length: number,
    width: number,
  ): boolean {
    if (!this.isFree(at, length, width)) return false;
    this.claim(at, length, width);
    this.addScenery(solids, at, label);
    return true;
  }
}

/** A rectangle covered by discs along its longer side. */
function discs(at: Placement, length: number, width: number): Disc[] {
  const [long, short, yaw] =
    length >= width ? [length, width, at.yaw] : [width, length, at.yaw + Math.PI / 2];
  const count = Math.max(1, Math.ceil(long / Math.max(short, 0.3)));
  const radius = short / 2;
  const reach = Math.max(0, long / 2 - radius);
  return Array.from({ length: count }, (_, i) => {
    const offset = count === 1 ? 0 : -reach + (2 * reach * i) / (count - 1);
    return { x: at.x + Math.cos(yaw) * offset, y: at.y + Math.sin(yaw) * offset, radius };
  });
}
