import type { Actor, Motion } from './actor.js';
import { placementAt } from './actor.js';
import type { RigidTransform } from '../geometry/rigid-transform.js';
import type { Ground } from './ground.js';
import type { SimulatedRig } from './rig.js';
import type { SolidList } from './solid.js';
import type { Weather } from './weather.js';
import type { Occ3dClass } from '../dataset/occ3d.js';

/** A street scene over time. World frame: metres, z up. */
export interface World {
  readonly ground: Ground;
  readonly weather: Weather;
  /** What never moves and has no box: buildings, trees, poles. */
  readonly scenery: SolidList;
  readonly actors: readonly Actor[];
  /** Of the ego vehicle's base_link: the ground under the middle of its rear axle, x forward. */
  readonly ego: Motion;
}

/** All solids at `time` seconds; the actor index of a solid is the index in `world.actors`. */
export function solidsAt(world: World, time: number): SolidList {
  const solids = world.scenery.clone();
  world.actors.forEach((actor, index) => {
    const label: Occ3dClass = actor.kind;
    solids.add(actor.model.solids, actorPose(world, actor, time), label, index);
  });
  return solids;
}

/** worldFromModel of an actor, which tilts with the ground. */
export function actorPose({ ground }: World, { motion, model }: Actor, time: number): RigidTransform {
  return ground.hills.poseOn(placementAt(motion, time), model.size[0], model.size[1]);
}

/** worldFromEgo: the vehicle's wheels stand on the ground, so it pitches and rolls with it. */
export function egoPose(
  { ground, ego }: World,
  { wheelBase, track }: Pick<SimulatedRig, 'wheelBase' | 'track'>,
  time: number,
): RigidTransform {
  return ground.hills.poseOn(placementAt(ego, time), wheelBase, track, wheelBase / 2);
}
