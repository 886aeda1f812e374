import type { Motion } from './actor.js';
import { buildParcels } from './parcels.js';
import { randomHills } from './height-field.js';
import { Road } from './ground.js';
import type { GroundColors } from './ground.js';
import type { Color } from './solid.js';
import { Random } from './random.js';
import { Site } from './site.js';
import { furnishSidewalks } from './sidewalks.js';
import { addTraffic } from './traffic.js';
import { randomWeather } from './weather.js';
import type { World } from './world.js';
import { shade } from './models/model.js';

/** Room kept round the ego vehicle, metres. */
const EGO_LENGTH = 6;
const EGO_WIDTH = 3;
/** How far the main road runs each way, metres. */
const REACH = 130;

/** The street of scene `index` of `seed`; equal arguments give equal worlds, different pairs different ones. */
export function generateStreet(seed: number, index: number): World {
  const random = new Random(seed, index);
  const roads = layRoads(random);
  const main = roads[0]!;
  const hills = randomHills(random, main.options.origin.x, main.options.origin.y);
  const egoAlong = random.uniform(-12, 12);
  const lane = random.integer(0, main.options.lanes / 2 - 1);
  const across = -main.options.median - (lane + 0.5) * main.laneWidth;
  const speed = random.chance(0.25) ? 0 : random.uniform(2, 12);
  const ego: Motion = { kind: 'road', road: main, along: egoAlong, across, speed, backward: false };

  const site = new Site(random, roads, { along: egoAlong, across }, hills);
  const at = main.at(egoAlong + 1.4, across); // the vehicle's middle lies before its rear axle
  site.claim(at, EGO_LENGTH, EGO_WIDTH);
  const weather = randomWeather(random);
  addTraffic(site, { lane, speed });
  furnishSidewalks(site);
  buildParcels(site);
  return {
    ground: { hills, roads, patches: site.patches, colors: randomColors(random), seed: random.textureSeed() },
    weather,
    scenery: site.scenery,
    actors: site.actors,
    ego,
  };
}

function layRoads(random: Random): Road[] {
  const lanes = random.pick([2, 2, 4, 4, 6]);
  const main = new Road({
    origin: {
      x: random.uniform(-300, 300),
      y: random.uniform(-300, 300),
      yaw: random.uniform(-Math.PI, Math.PI),
    },
    curvature: random.chance(0.45) ? 0 : random.sign() * random.uniform(0.001, 0.012),
    begin: -REACH,
    end: REACH,
    lanes,
    laneWidth: random.uniform(3.1, 3.8),
    verge: random.chance(0.5) ? 0 : random.uniform(0.8, 2.5),
    sidewalk: random.uniform(2, 4.5),
    median: lanes >= 4 && random.chance(0.5) ? random.uniform(0.5, 1.6) : 0,
  });
  const roads = [main];
  const crossings = random.pick([0, 1, 1, 1, 2]);
  let along = random.uniform(-35, 30);
  for (let i = 0; i < crossings; i++) {
    const origin = main.at(along, 0);
    const tee = random.chance(0.4);
    roads.push(
      new Road({
        origin: { ...origin, yaw: origin.yaw + (Math.PI / 2) * random.sign() + random.uniform(-0.2, 0.2) },
        curvature: random.chance(0.5) ? 0 : random.sign() * random.uniform(0.001, 0.006),
        begin: tee ? 0 : -REACH,
        end: REACH,
        lanes: random.pick([2, 2, 4]),
        laneWidth: random.uniform(3, 3.6),
        verge: random.chance(0.6) ? 0 : random.uniform(0.8, 2),
        sidewalk: random.uniform(1.8, 3.5),
        median: 0,
      }),
    );
    along += random.uniform(38, 60);
  }
  return roads;
}

function randomColors(random: Random): GroundColors {
  const asphalt = random.uniform(0.035, 0.24);
  const paving = random.uniform(0.16, 0.5);
  const dry = random.uniform();
  const terrain: Color = [0.07 + 0.16 * dry, 0.13 + 0.05 * dry, 0.035 + 0.05 * dry];
  // Fresh paint, worn paint, or hardly any.
  const mark = random.chance(0.15) ? asphalt * 1.15 : random.uniform(0.3, 0.8);
  return {
    asphalt: shade([1, random.uniform(0.97, 1.02), random.uniform(0.95, 1.06)], asphalt),
    sidewalk: shade([1, random.uniform(0.93, 1), random.uniform(0.85, 1)], paving),
    terrain: shade(terrain, random.uniform(0.6, 1.5)),
    mark: random.chance(0.15) ? [mark, mark * 0.75, mark * 0.2] : [mark, mark, mark],
  };
}
