import type { Random } from '../random.js';
import type { Color, Material, Solid } from '../solid.js';
import { BLACK, shade } from './model.js';
import type { Model } from './model.js';
import { twoWheels } from './vehicles.js';

const CLOTHES: readonly Color[] = [
  [0.5, 0.05, 0.04],
  [0.04, 0.08, 0.3],
  [0.6, 0.58, 0.52],
  [0.05, 0.05, 0.06],
  [0.1, 0.28, 0.12],
  [0.62, 0.45, 0.05],
  [0.28, 0.28, 0.3],
  [0.35, 0.12, 0.3],
  [0.7, 0.28, 0.03],
];
const SKIN: readonly Color[] = [
  [0.5, 0.3, 0.2],
  [0.32, 0.17, 0.1],
  [0.12, 0.06, 0.04],
];

function cloth(random: Random): Material {
  return { texture: 'plain', color: random.pick(CLOTHES), scale: 0.12, seed: random.textureSeed() };
}

/** A body above the hips, which are at (x, z); leans forward by `lean` radians. */
function upperBody(random: Random, x: number, hips: number, scale: number, lean: number): Solid[] {
  const shirt = cloth(random);
  const torso = 0.6 * scale;
  const shoulderX = x + Math.sin(lean) * torso;
  const shoulders = hips + Math.cos(lean) * torso;
  return [
    {
      shape: 'cylinder',
      center: [(x + shoulderX) / 2, 0, (hips + shoulders) / 2],
      size: [0.27 * scale, 0.46 * scale, torso],
      pitch: lean,
      taper: [0.15, 0.15],
      material: shirt,
    },
    {
      shape: 'ellipsoid',
      center: [shoulderX + 0.02, 0, shoulders + 0.16 * scale],
      size: [0.22 * scale, 0.19 * scale, 0.28 * scale],
      material: { texture: 'plain', color: random.chance(0.5) ? random.pick(SKIN) : BLACK },
    },
    ...[-1, 1].map((side): Solid => ({
      shape: 'cylinder',
      center: [x + Math.sin(lean) * torso * 0.6 + 0.04, side * 0.27 * scale, shoulders - 0.3 * scale],
      size: [0.12 * scale, 0.11 * scale, 0.62 * scale],
      pitch: -lean + side * random.uniform(0, 0.4),
      material: shirt,
    })),
  ];
}

/** Standing or in mid stride. */
export function pedestrian(random: Random, walking: boolean): Model {
  const height = random.chance(0.12) ? random.uniform(1.1, 1.4) : random.uniform(1.58, 1.9);
  const scale = height / 1.75;
  const stride = walking ? random.uniform(0.2, 0.45) : 0.05;
  const trousers = cloth(random);
  const hips = 0.86 * scale;
  return {
    size: [0.7 * scale, 0.65 * scale, height],
    solids: [
      ...[-1, 1].map((side): Solid => ({
        shape: 'cylinder',
        center: [side * Math.sin(stride) * hips * 0.5, side * 0.1 * scale, hips / 2],
        size: [0.17 * scale, 0.17 * scale, hips],
        pitch: -side * stride,
        material: trousers,
      })),
      ...upperBody(random, 0, hips, scale, 0.05),
    ],
  };
}

function riderLegs(random: Random, seat: number, foot: number): Solid[] {
  const trousers = cloth(random);
  return [-1, 1].map((side) => ({
    shape: 'cylinder',
    center: [0.08, side * 0.14, (seat + foot) / 2],
    size: [0.16, 0.15, seat - foot],
    pitch: side * 0.25 - 0.2,
    material: trousers,
  }));
}

export function bicycle(random: Random, ridden: boolean): Model {
  const color = random.pick(CLOTHES);
  const tube = (center: [number, number, number], length: number, pitch: number): Solid => ({
    shape: 'box',
    center,
    size: [length, 0.07, 0.07],
    pitch,
    material: { texture: 'plain', color },
  });
  return {
    size: [1.75, 0.65, ridden ? 1.75 : 1.1],
    solids: [
      ...twoWheels(1.75, 0.68, 0.06),
      tube([0.08, 0, 0.72], 0.75, 0),
      tube([0.18, 0, 0.52], 0.7, -0.6),
      tube([-0.25, 0, 0.55], 0.65, -1.3),
      tube([0.52, 0, 0.7], 0.75, 1.2),
      {
        shape: 'box',
        center: [0.42, 0, 1.04],
        size: [0.08, 0.6, 0.06],
        material: { texture: 'plain', color: BLACK },
      },
      {
        shape: 'box',
        center: [-0.28, 0, 0.95],
        size: [0.28, 0.16, 0.08],
        material: { texture: 'plain', color: BLACK },
      },
      ...(ridden ? [...riderLegs(random, 0.95, 0.3), ...upperBody(random, -0.25, 0.98, 0.85, 0.4)] : []),
    ],
  };
}

export function motorcycle(random: Random, ridden: boolean): Model {
  const color = random.pick(CLOTHES);
  const body: Material = { texture: 'plain', color, scale: 0.5, seed: random.textureSeed() };
  return {
    size: [2.15, 0.8, ridden ? 1.65 : 1.2],
    solids: [
      ...twoWheels(2.15, 0.64, 0.16),
      {
        shape: 'box',
        center: [0, 0, 0.55],
        size: [0.9, 0.34, 0.45],
        taper: [0.1, 0.2],
        material: { texture: 'plain', color: shade(BLACK, 2) },
      },
      { shape: 'ellipsoid', center: [0.2, 0, 0.88], size: [0.65, 0.36, 0.36], material: body },
      {
        shape: 'box',
        center: [-0.45, 0, 0.85],
        size: [0.75, 0.3, 0.16],
        material: { texture: 'plain', color: BLACK },
      },
      { shape: 'box', center: [0.72, 0, 0.8], size: [0.14, 0.12, 0.9], pitch: -0.4, material: body },
      {
        shape: 'box',
        center: [0.58, 0, 1.14],
        size: [0.12, 0.75, 0.1],
        material: { texture: 'plain', color: BLACK },
      },
      ...(ridden ? [...riderLegs(random, 0.92, 0.35), ...upperBody(random, -0.3, 0.92, 0.9, 0.3)] : []),
    ],
  };
}
