import type { Road } from './ground.js';
import { bicycle, motorcycle, pedestrian } from './models/people.js';
import { barrier, shelter, sign, streetLight, trafficCone, trafficLight } from './models/street-furniture.js';
import { bush, tree } from './models/vegetation.js';
import { constructionVehicle } from './models/vehicles.js';
import type { Site } from './site.js';

/** Everything between the lanes and the houses: works, people, cones, barriers, crossings, lamps, trees of the avenue. */
export function furnishSidewalks(site: Site): void {
  if (site.random.chance(0.6)) addRoadWorks(site);
  addCrossings(site);
  addSmallGroups(site);
  addPeople(site);
  for (const road of site.roads) lineStreet(site, road);
}

/** A closed stretch at the edge of the road: cones along it, barriers at its ends, a machine and workers in it. */
function addRoadWorks(site: Site): void {
  const { random, main, egoAlong } = site;
  const side = random.sign();
  const start = egoAlong + random.uniform(-22, 12);
  const length = random.uniform(9, 16);
  const inner = main.halfWidth - random.uniform(0.5, 2.4);
  if (site.blocksEgo(side * inner, 0.6)) return;
  for (let along = start; along <= start + length; along += random.uniform(1.6, 2.6)) {
    site.tryPark('traffic_cone', trafficCone(random), main.at(along, side * inner));
  }
  for (const along of [start - 0.8, start + length + 0.8]) {
    for (let across = inner + 0.4; across < main.halfCorridor; across += 2.7) {
      const at = main.at(along, side * across);
      site.tryPark('barrier', barrier(random), { ...at, yaw: at.yaw + Math.PI / 2 });
    }
  }
  const across = Math.min(inner + 2.2, main.halfCorridor);
  const at = main.at(start + length / 2, side * across);
  site.tryPark('construction_vehicle', constructionVehicle(random), {
    ...at,
    yaw: at.yaw + random.uniform(-0.3, 0.3),
  });
  for (let i = random.integer(1, 3); i > 0; i--) {
    const spot = main.at(start + random.uniform(1, length - 1), side * (inner + random.uniform(0.8, 3)));
    site.tryPark('pedestrian', pedestrian(random, false), { ...spot, yaw: random.uniform(-3, 3) });
  }
}

/** Zebra crossings and traffic lights where roads meet, and islands of paving (other_flat) beside them. */
function addCrossings(site: Site): void {
  const { random, main, roads, patches } = site;
  const zebra = (road: Road, along: number) => {
    patches.push({
      at: road.at(along, 0),
      size: [3.2, 2 * road.halfWidth],
      label: 'driveable_surface',
      style: 'zebra',
      color: [0.1, 0.1, 0.1],
    });
  };
  for (const road of roads.slice(1)) {
    const { origin, begin } = road.options;
    const offsets = [-1, 1].map((side) => side * (road.halfCorridor + 2.5));
    const centre = nearestAlong(main, origin.x, origin.y);
    for (const offset of offsets) {
      if (main.options.median === 0) zebra(main, centre + offset);
      for (const side of [-1, 1]) {
        const at = main.at(centre + offset, side * (main.halfWidth + 0.6));
        site.tryAddScenery(
          trafficLight(random),
          { ...at, yaw: side < 0 ? at.yaw : at.yaw + Math.PI },
          'manmade',
          0.4,
          0.4,
        );
      }
    }
    zebra(road, main.halfCorridor + 2.5);
    if (begin < 0) zebra(road, -main.halfCorridor - 2.5);
  }
  if (roads.length === 1 && random.chance(0.5) && main.options.median === 0)
    zebra(main, site.egoAlong + random.uniform(8, 20));
  if (random.chance(0.5)) {
    const along = site.egoAlong + random.sign() * random.uniform(8, 25);
    const across = random.sign() * main.halfWidth * random.uniform(0.25, 0.4);
    const at = main.at(along, across);
    if (site.blocksEgo(across, 1.6) || !site.isFree(at, 9, 1.6)) return;
    patches.push({ at, size: [9, 1.6], label: 'other_flat', style: 'slabs', color: [0.34, 0.26, 0.2] });
    site.claim(at, 9, 1.4);
    site.addScenery(sign(random), main.at(along - 4, across), 'manmade');
    for (const shift of [-3, 0, 3]) {
      if (random.chance(0.5)) site.addScenery(bush(random), main.at(along + shift, across), 'vegetation');
    }
  }
}

/** The position along a road that is nearest to a point, to a quarter of a metre. */
function nearestAlong(road: Road, x: number, y: number): number {
  let best = 0;
  let least = Infinity;
  for (let along = road.options.begin; along <= road.options.end; along += 0.25) {
    const at = road.at(along, 0);
    const distance = Math.hypot(at.x - x, at.y - y);
    if (distance < least) {
      least = distance;
      best = along;
    }
  }
  return best;
}

/** Rows of cones and of barriers at the kerb, near the ego vehicle. */
function addSmallGroups(site: Site): void {
  const { random, main, egoAlong } = site;
  for (let group = random.integer(1, 3); group > 0; group--) {
    const start = egoAlong + random.uniform(-25, 20);
    const across = random.sign() * (main.halfWidth + random.uniform(-1.6, 1.2));
    const step = random.uniform(1.2, 2.8);
    if (site.blocksEgo(across, 1.2)) continue;
    for (let i = random.integer(3, 6); i > 0; i--) {
      site.tryPark(
        'traffic_cone',
        trafficCone(random),
        main.at(start + i * step, across + random.uniform(-0.3, 0.3)),
      );
    }
  }
  for (let group = random.integer(1, 2); group > 0; group--) {
    const start = egoAlong + random.uniform(-28, 20);
    const across = random.sign() * (main.halfWidth + random.uniform(-0.3, 1));
    const gap = random.uniform(2.7, 3.2);
    if (site.blocksEgo(across, 0.6)) continue;
    for (let i = random.integer(2, 6); i > 0; i--) {
      site.tryPark('barrier', barrier(random), main.at(start + i * gap, across));
    }
  }
}

/** On the sidewalks, and a few who cross the road. */
function addPeople(site: Site): void {
  const { random, main, egoAlong } = site;
  for (let i = random.integer(8, 18); i > 0; i--) {
    const along = egoAlong + random.uniform(-28, 28);
    const crossing = random.chance(0.2);
    const reach = crossing
      ? random.uniform(-main.halfWidth, main.halfWidth)
      : random.sign() * random.uniform(main.halfWidth + 0.6, main.halfCorridor - 0.3);
    const walking = random.chance(0.65);
    if (site.blocksEgo(reach, 0.8)) continue;
    const spot = main.at(along, reach);
    const at = { ...spot, yaw: spot.yaw + (crossing ? Math.PI / 2 : 0) + (random.chance(0.5) ? Math.PI : 0) };
    const speed = walking ? random.uniform(0.8, 1.7) : 0;
    const model = pedestrian(random, walking);
    const motion = { kind: 'straight', at, speed } as const;
    site.tryAddActor({ kind: 'pedestrian', model, motion, hasRider: false, parked: false }, at, 0.1);
  }
  for (let i = random.integer(2, 7); i > 0; i--) {
    const spot = main.at(
      egoAlong + random.uniform(-24, 24),
      random.sign() * (main.halfWidth + random.uniform(0.6, 1.4)),
    );
    const at = { ...spot, yaw: spot.yaw + random.uniform(-1.6, 1.6) };
    if (random.chance(0.5)) site.tryPark('bicycle', bicycle(random, false), at);
    else site.tryPark('motorcycle', motorcycle(random, false), at);
  }
}

/** Lamps, signs, shelters and trees along a road's sidewalks. */
function lineStreet(site: Site, road: Road): void {
  const { random } = site;
  const avenue = random.chance(0.6);
  const spacing = random.uniform(9, 16);
  for (const side of [-1, 1]) {
    const kerb = side * (road.halfWidth + 0.7);
    for (let along = -80 + random.uniform(0, 10); along < 80; along += spacing * random.uniform(0.8, 1.3)) {
      if (along < road.options.begin) continue;
      const at = road.at(along, kerb);
      if (site.isOnRoad(at, 0.7)) continue;
      const inward = { ...at, yaw: side < 0 ? at.yaw : at.yaw + Math.PI };
      const choice = random.uniform();
      if (choice < (avenue ? 0.55 : 0.1)) site.tryAddScenery(tree(random), at, 'vegetation', 0.5, 0.5);
      else if (choice < 0.75) site.tryAddScenery(streetLight(random), inward, 'manmade', 0.4, 0.4);
      else if (choice < 0.92) site.tryAddScenery(sign(random), inward, 'manmade', 0.4, 0.4);
      else
        site.tryAddScenery(
          shelter(random),
          { ...road.at(along, side * (road.halfCorridor - 1)), yaw: inward.yaw },
          'manmade',
          4,
          1.6,
        );
    }
  }
}
