import type { Road } from './ground.js';
import { block, hall, house } from './models/buildings.js';
import { wall } from './models/street-furniture.js';
import { bush, hedge, tree } from './models/vegetation.js';
import type { Site } from './site.js';
import type { Placement } from './solid.js';
import { RARE_VEHICLES, vehicleModel } from './traffic.js';

const STYLES = ['city', 'houses', 'works', 'park'] as const;
type Style = (typeof STYLES)[number];

/** A plot of land beside a road: `front` is the middle of its side on the sidewalk, facing along the road; it lies on `side`. */
interface Parcel {
  readonly road: Road;
  readonly along: number;
  readonly side: number;
  readonly width: number;
}

/** What stands beyond the sidewalks, out to the edge of the view. */
export function buildParcels(site: Site): void {
  const { random } = site;
  const style = random.pick(STYLES);
  for (const road of site.roads) {
    for (const side of [-1, 1]) {
      for (let along = Math.max(-100, road.options.begin); along < 100;) {
        const width = random.uniform(9, 24);
        fillParcel(
          site,
          { road, along: along + width / 2, side, width },
          random.chance(0.7) ? style : random.pick(STYLES),
        );
        along += width + (random.chance(0.4) ? random.uniform(0.5, 5) : 0.2);
      }
    }
  }
  addBackdrop(site);
}

/** The pose `depth` metres behind the sidewalk and `shift` along the parcel. */
function within({ road, along, side }: Parcel, shift: number, depth: number): Placement {
  return road.at(along + shift, side * (road.halfCorridor + depth));
}

function fillParcel(site: Site, parcel: Parcel, style: Style): void {
  const { random } = site;
  const use = random.uniform();
  if (style === 'park' || use < 0.12) return plantGarden(site, parcel, 14, random.integer(3, 8));
  if (use < 0.27) return layParking(site, parcel);
  if (use < 0.4) layPlaza(site, parcel);
  const depth = random.uniform(8, 15);
  const setback = style === 'city' ? random.uniform(0, 2) : random.uniform(2.5, 8);
  const at = within(parcel, 0, setback + depth / 2);
  const length = style === 'houses' ? Math.min(parcel.width - 2, 13) : parcel.width - 0.5;
  if (!site.isOffRoad(at, length, depth, 0) || !site.isFree(at, length, depth)) {
    return plantGarden(site, parcel, 6, random.integer(1, 4));
  }
  site.claim(at, length, depth);
  const build = { city: block, houses: house, works: hall }[style];
  site.addScenery(build(random, length, depth), at, 'manmade');
  if (setback > 2) {
    if (random.chance(0.6)) plantGarden(site, parcel, setback, random.integer(1, 4));
    const edge = within(parcel, 0, 0.6);
    if (random.chance(0.5) && site.isOffRoad(edge, parcel.width, 1, -0.5)) {
      if (random.chance(0.5))
        site.tryAddScenery(hedge(random, parcel.width - 2), edge, 'vegetation', parcel.width - 2, 0.8);
      else site.tryAddScenery(wall(random, parcel.width - 2), edge, 'manmade', parcel.width - 2, 0.3);
    }
  } else if (setback > 0.3) {
    const strip = within(parcel, 0, setback / 2);
    site.patches.push({
      at: strip,
      size: [parcel.width, setback],
      label: 'other_flat',
      style: 'slabs',
      color: [0.3, 0.24, 0.18],
    });
  }
}

function plantGarden(site: Site, parcel: Parcel, depth: number, plants: number): void {
  const { random } = site;
  for (let i = plants; i > 0; i--) {
    const at = within(
      parcel,
      random.uniform(-0.5, 0.5) * parcel.width,
      random.uniform(0.6, Math.max(depth, 1.2)),
    );
    if (!site.isOffRoad(at, 0.6, 0.6, 0)) continue;
    if (random.chance(0.55)) site.tryAddScenery(tree(random), at, 'vegetation', 0.8, 0.8);
    else site.tryAddScenery(bush(random), at, 'vegetation', 1.2, 1.2);
  }
}

/** A car park with perpendicular bays. */
function layParking(site: Site, parcel: Parcel): void {
  const { random } = site;
  const depth = 12;
  const at = within(parcel, 0, depth / 2 - 0.1);
  if (!site.isOffRoad(at, parcel.width, depth, -0.2, parcel.road)) return plantGarden(site, parcel, 6, 3);
  site.patches.push({
    at,
    size: [parcel.width, depth],
    label: 'driveable_surface',
    style: 'parking',
    color: [0.12, 0.12, 0.125],
  });
  // The entrance leads over the sidewalk.
  site.patches.push({
    at: within(parcel, 0, -parcel.road.options.sidewalk / 2),
    size: [5, parcel.road.options.sidewalk + 0.2],
    label: 'driveable_surface',
    style: 'plain',
    color: [0.13, 0.13, 0.13],
  });
  for (let shift = -parcel.width / 2 + 1.4; shift < parcel.width / 2 - 1; shift += 2.6) {
    if (Math.abs(shift) < 2.5 || !random.chance(0.6)) continue;
    const bay = within(parcel, shift, 7.5);
    const kind = random.chance(0.75) ? 'car' : random.pick(RARE_VEHICLES);
    const yaw = bay.yaw + (random.chance(0.5) ? Math.PI / 2 : -Math.PI / 2);
    site.tryPark(kind, vehicleModel(random, kind, false), { ...bay, yaw }, 0.1);
  }
  site.claim(at, parcel.width, depth);
}

/** A paved square (other_flat). */
function layPlaza(site: Site, parcel: Parcel): void {
  const { random } = site;
  const depth = random.uniform(5, 12);
  const at = within(parcel, 0, depth / 2);
  if (!site.isOffRoad(at, parcel.width, depth, -0.2, parcel.road)) return;
  const tone = random.uniform(0.2, 0.36);
  site.patches.push({
    at,
    size: [parcel.width, depth],
    label: 'other_flat',
    style: 'slabs',
    color: [tone, tone * random.uniform(0.7, 0.95), tone * random.uniform(0.55, 0.9)],
  });
}

/** Tall shapes far away, so that the horizon is not empty. */
function addBackdrop(site: Site): void {
  const { random, main, egoAlong } = site;
  const centre = main.at(egoAlong, 0);
  for (let i = 0; i < 60; i++) {
    const angle = (i / 60) * 2 * Math.PI + random.uniform(0, 0.1);
    const reach = random.uniform(48, 125);
    const at = { x: centre.x + Math.cos(angle) * reach, y: centre.y + Math.sin(angle) * reach, yaw: angle };
    if (random.chance(0.55)) {
      const [length, depth] = [random.uniform(10, 18), random.uniform(14, 26)];
      if (!site.isOffRoad(at, length, depth, 3)) continue;
      if (site.isFree(at, length, depth)) {
        site.claim(at, length, depth);
        site.addScenery(block(random, length, depth), at, 'manmade');
      }
    } else if (site.isOffRoad(at, 1, 1, 1)) {
      site.tryAddScenery(tree(random), at, 'vegetation', 1, 1);
    }
  }
}
