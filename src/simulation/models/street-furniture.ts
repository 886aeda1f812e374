import type { Random } from '../random.js';
import type { Color, Material, Solid } from '../solid.js';
import { BLACK } from './model.js';
import type { Model } from './model.js';

export function trafficCone(random: Random): Model {
  const height = random.uniform(0.7, 1.05);
  const base = height * 0.5;
  return {
    size: [base, base, height],
    solids: [
      {
        shape: 'box',
        center: [0, 0, 0.03],
        size: [base, base, 0.06],
        material: { texture: 'plain', color: BLACK },
      },
      {
        shape: 'cylinder',
        center: [0, 0, height / 2],
        size: [base * 0.82, base * 0.82, height],
        taper: [0.85, 0.85],
        material: {
          texture: 'bands',
          color: [0.8, 0.16, 0.02],
          accent: random.chance(0.85) ? [0.8, 0.8, 0.78] : [0.8, 0.16, 0.02],
          scale: height * 0.52,
        },
      },
    ],
  };
}

/** One element of a barrier, across the way (its length lies along x). */
export function barrier(random: Random): Model {
  const length = random.uniform(1.8, 2.6);
  if (random.chance(0.45)) {
    const concrete = {
      texture: 'plain',
      color: [0.42, 0.41, 0.38],
      scale: 0.5,
      seed: random.textureSeed(),
    } as const;
    return {
      size: [length, 0.6, 0.95],
      solids: [
        { shape: 'box', center: [0, 0, 0.2], size: [length, 0.6, 0.4], taper: [0, 0.4], material: concrete },
        {
          shape: 'box',
          center: [0, 0, 0.67],
          size: [length, 0.34, 0.55],
          taper: [0, 0.4],
          material: concrete,
        },
      ],
    };
  }
  const red = random.chance(0.6);
  const board: Material = {
    texture: 'stripes',
    color: red ? [0.65, 0.05, 0.03] : [0.75, 0.3, 0.02],
    accent: [0.75, 0.75, 0.72],
    scale: 0.6,
  };
  const foot = (x: number): Solid => ({
    shape: 'box',
    center: [x, 0, 0.5],
    size: [0.1, 0.45, 1],
    taper: [0, 0.8],
    material: { texture: 'plain', color: [0.6, 0.6, 0.6] },
  });
  return {
    size: [length, 0.5, 1.05],
    solids: [
      { shape: 'box', center: [0, 0, 0.88], size: [length, 0.14, 0.32], material: board },
      { shape: 'box', center: [0, 0, 0.42], size: [length, 0.12, 0.24], material: board },
      foot(length * 0.4),
      foot(-length * 0.4),
    ],
  };
}

const STEEL: Color = [0.22, 0.23, 0.24];

/** A lamp post with its arm along +y. */
export function streetLight(random: Random): Solid[] {
  const height = random.uniform(6, 8.5);
  const reach = random.uniform(1.2, 2.2);
  const material = { texture: 'plain', color: STEEL } as const;
  return [
    { shape: 'cylinder', center: [0, 0, height / 2], size: [0.2, 0.2, height], taper: [0.4, 0.4], material },
    { shape: 'box', center: [0, reach / 2, height], size: [0.1, reach, 0.1], material },
    { shape: 'box', center: [0, reach, height - 0.06], size: [0.3, 0.7, 0.14], material },
  ];
}

/** A traffic light that faces −x, toward those who come along +x. */
export function trafficLight(random: Random): Solid[] {
  const height = random.uniform(3, 3.6);
  const lamp: Color = random.pick<Color>([
    [1.6, 0.1, 0.05],
    [0.1, 1.3, 0.5],
    [1.5, 0.8, 0.05],
  ]);
  return [
    {
      shape: 'cylinder',
      center: [0, 0, height / 2],
      size: [0.16, 0.16, height],
      material: { texture: 'plain', color: STEEL },
    },
    {
      shape: 'box',
      center: [0, 0, height],
      size: [0.28, 0.32, 0.95],
      material: { texture: 'plain', color: BLACK },
    },
    {
      shape: 'ellipsoid',
      center: [-0.13, 0, height + random.pick([-0.28, 0, 0.28])],
      size: [0.12, 0.2, 0.2],
      material: { texture: 'plain', color: lamp },
    },
  ];
}

/** A sign on a pole that faces −x. */
export function sign(random: Random): Solid[] {
  const height = random.uniform(2.2, 2.9);
  const color = random.pick<Color>([
    [0.05, 0.15, 0.5],
    [0.6, 0.05, 0.04],
    [0.65, 0.65, 0.62],
    [0.6, 0.45, 0.03],
    [0.05, 0.3, 0.12],
  ]);
  return [
    {
      shape: 'cylinder',
      center: [0, 0, height / 2],
      size: [0.09, 0.09, height],
      material: { texture: 'plain', color: STEEL },
    },
    {
      shape: 'box',
      center: [-0.06, 0, height],
      size: [0.05, random.uniform(0.5, 0.9), random.uniform(0.5, 0.9)],
      material: { texture: 'plain', color },
    },
  ];
}

/** A wall or a fence along x. */
export function wall(random: Random, length: number): Solid[] {
  const fence = random.chance(0.5);
  const height = random.uniform(0.9, 2);
  return [
    {
      shape: 'box',
      center: [0, 0, height / 2],
      size: [length, fence ? 0.1 : 0.3, height],
      material: fence
        ? { texture: 'panels', color: [0.3, 0.2, 0.12], scale: 0.18, seed: random.textureSeed() }
        : { texture: 'plain', color: [0.38, 0.33, 0.28], scale: 0.35, seed: random.textureSeed() },
    },
  ];
}

/** A bus shelter, open toward +y. */
export function shelter(random: Random): Solid[] {
  const length = random.uniform(3, 4.5);
  const glass = { texture: 'glass', color: STEEL, accent: [0.12, 0.15, 0.17], scale: 1.4 } as const;
  return [
    { shape: 'box', center: [0, -0.65, 1.2], size: [length, 0.08, 2.2], material: glass },
    { shape: 'box', center: [length / 2, 0, 1.2], size: [0.08, 1.3, 2.2], material: glass },
    {
      shape: 'box',
      center: [0, 0, 2.4],
      size: [length + 0.3, 1.6, 0.14],
      material: { texture: 'plain', color: STEEL },
    },
    {
      shape: 'box',
      center: [0, -0.35, 0.5],
      size: [length * 0.7, 0.4, 0.1],
      material: { texture: 'plain', color: [0.25, 0.15, 0.08] },
    },
  ];
}
