import type { Actor, Motion } from './actor.js';
import { placementAt } from './actor.js';
import type { Ground } from './ground.js';
import type { SolidList } from './solid.js';
import type { Weather } from './weather.js';
import type { Occ3dClass } from '../dataset/occ3d.js';

/** A street scene over time. World frame: metres, z up, ground at z = 0. */
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
    solids.add(actor.model.solids, placementAt(actor.motion, time), label, index);
  });
  return solids;
}
