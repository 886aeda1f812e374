import type { Actor, Motion } from './actor.js';
import type { DetectionClass } from '../dataset/occ3d.js';
import type { Road } from './ground.js';
import { bicycle, motorcycle } from './models/people.js';
import { bus, car, constructionVehicle, trailer, truck } from './models/vehicles.js';
import type { Model } from './models/model.js';
import type { Random } from './random.js';
import type { Site } from './site.js';

/** Vehicles that are rarer than cars; here far less rare than in life, so that they can be learned. */
export const RARE_VEHICLES = [
  'truck',
  'bus',
  'trailer',
  'construction_vehicle',
  'bicycle',
  'motorcycle',
] as const;
export type RareVehicle = (typeof RARE_VEHICLES)[number];

export function vehicleModel(random: Random, kind: RareVehicle | 'car', ridden: boolean): Model {
  switch (kind) {
    case 'car':
      return car(random);
    case 'truck':
      return truck(random);
    case 'bus':
      return bus(random);
    case 'trailer':
      return trailer(random);
    case 'construction_vehicle':
      return constructionVehicle(random);
    case 'bicycle':
      return bicycle(random, ridden);
    case 'motorcycle':
      return motorcycle(random, ridden);
  }
}

interface Lane {
  readonly road: Road;
  readonly across: number;
  readonly backward: boolean;
  /** m/s along the road; all vehicles of a lane go at one speed, so none drives into another. */
  readonly speed: number;
}

/** Vehicles on the lanes: first the rare ones near the ego vehicle, then cars. `ego`: lane (0 = innermost) and speed of the ego vehicle. */
export function addTraffic(site: Site, ego: { readonly lane: number; readonly speed: number }): void {
  const { random, main } = site;
  const lanes = lanesOf(site, main, ego);
  const rare = random.shuffled(RARE_VEHICLES).slice(0, random.integer(3, 6));
  for (const kind of rare) {
    for (let attempt = 0; attempt < 12; attempt++) {
      if (tryPlace(site, random.pick(lanes), site.egoAlong + random.uniform(-28, 28), kind)) break;
    }
  }
  const density = random.uniform(0.25, 0.8);
  for (const lane of lanes) {
    for (let along = -75; along < 75; along += random.uniform(8, 16)) {
      if (random.chance(density)) tryPlace(site, lane, along, anyKind(random));
    }
  }
  // Others wait on the side roads, clear of the main road.
  for (const road of site.roads.slice(1)) {
    for (const side of [-1, 1] as const) {
      const lane = { road, across: (side * road.laneWidth) / 2, backward: side > 0, speed: 0 };
      for (let along = road.options.begin < 0 ? -70 : 16; along < 70; along += random.uniform(8, 20)) {
        const at = road.at(along, lane.across);
        if (random.chance(0.45) && main.distance(at.x, at.y) > main.halfCorridor + 4)
          tryPlace(site, lane, along, anyKind(random));
      }
    }
  }
}

function anyKind(random: Random): RareVehicle | 'car' {
  return random.chance(0.58) ? 'car' : random.pick(RARE_VEHICLES);
}

function lanesOf(
  { random }: Site,
  road: Road,
  ego: { readonly lane: number; readonly speed: number },
): Lane[] {
  const perSide = road.options.lanes / 2;
  const width = road.laneWidth;
  const parking = perSide > 1 && random.chance(0.5);
  return [-1, 1].flatMap((side) =>
    Array.from({ length: perSide }, (_, i): Lane => {
      const ownLane = side < 0 && i === ego.lane;
      const parked = parking && i === perSide - 1 && !ownLane;
      const flow = random.chance(0.3) ? 0 : random.uniform(3, 13);
      const speed = ownLane ? ego.speed : parked ? 0 : flow;
      return {
        road,
        across: side * (road.options.median + (i + 0.5) * width),
        backward: side > 0,
        speed: side > 0 ? -speed : speed,
      };
    }),
  );
}

function tryPlace(site: Site, lane: Lane, along: number, kind: RareVehicle | 'car'): boolean {
  const { random } = site;
  const ridden = lane.speed !== 0 || random.chance(0.5);
  const model = vehicleModel(random, kind, ridden);
  const small = kind === 'bicycle' || kind === 'motorcycle';
  const across = lane.across + (small ? random.uniform(-0.9, 0.9) : random.uniform(-0.2, 0.2));
  const motion: Motion = {
    kind: 'road',
    road: lane.road,
    along,
    across,
    speed: lane.speed,
    backward: lane.backward,
  };
  const placed = site.tryAddActor(
    actorOn(kind, model, motion, small && ridden),
    poseOn(motion),
    kind === 'car' || small ? 0.6 : 0.8,
  );
  if (placed && kind === 'trailer') {
    // What pulls it; a truck that does not fit is left out.
    const puller = vehicleModel(random, 'truck', false);
    const ahead = (model.size[0] + puller.size[0]) / 2 + 0.9;
    const front: Motion = { ...motion, along: along + (lane.backward ? -ahead : ahead) };
    site.tryAddActor(actorOn('truck', puller, front, false), poseOn(front), 0.1);
  }
  return placed;
}

function actorOn(
  kind: DetectionClass,
  model: Model,
  motion: Motion & { kind: 'road' },
  hasRider: boolean,
): Actor {
  return { kind, model, motion, hasRider, parked: motion.speed === 0 && !hasRider };
}

function poseOn(motion: Motion & { kind: 'road' }) {
  const at = motion.road.at(motion.along, motion.across);
  return motion.backward ? { ...at, yaw: at.yaw + Math.PI } : at;
}
