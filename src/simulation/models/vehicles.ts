import type { Random } from '../random.js';
import type { Color, Solid } from '../solid.js';
import { BLACK, DARK_GLASS, axles, shade, wheel } from './model.js';
import type { Model } from './model.js';

const PAINTS: readonly Color[] = [
  [0.75, 0.75, 0.75],
  [0.5, 0.51, 0.53],
  [0.2, 0.2, 0.21],
  [0.03, 0.03, 0.035],
  [0.45, 0.03, 0.03],
  [0.04, 0.09, 0.32],
  [0.08, 0.25, 0.45],
  [0.1, 0.22, 0.12],
  [0.42, 0.33, 0.2],
  [0.55, 0.42, 0.05],
];

export function car(random: Random): Model {
  const tall = random.chance(0.4); // SUV or van
  const length = random.uniform(4.0, 5.0);
  const width = random.uniform(1.75, 1.98);
  const height = tall ? random.uniform(1.65, 1.95) : random.uniform(1.4, 1.55);
  const color = random.pick(PAINTS);
  const belt = height * 0.58;
  const clearance = 0.2;
  const cabin = length * (tall ? 0.68 : 0.56);
  const material = { texture: 'vehicle_body', color, seed: random.textureSeed() } as const;
  const hoodless = tall ? 0.06 : 0.03;
  return {
    size: [length, width, height],
    solids: [
      {
        shape: 'box',
        center: [0, 0, (clearance + belt) / 2],
        size: [length, width, belt - clearance],
        taper: [0.03, 0.06],
        material,
      },
      {
        shape: 'box',
        center: [-length * hoodless, 0, (belt + height) / 2],
        size: [cabin, width * 0.93, height - belt],
        taper: [tall ? 0.25 : 0.42, 0.2],
        material: { texture: 'glass', color, accent: DARK_GLASS, scale: cabin * 0.45 },
      },
      ...axles([length * 0.31, -length * 0.3], width + 0.02, 0.66, 0.22),
    ],
  };
}

function tractor(random: Random, cabLength: number, width: number, height: number, front: number): Solid[] {
  const color = random.pick(PAINTS);
  return [
    {
      shape: 'box',
      center: [front - cabLength / 2, 0, (0.5 + height) / 2],
      size: [cabLength, width, height - 0.5],
      taper: [0.08, 0.03],
      material: { texture: 'vehicle_body', color, seed: random.textureSeed() },
    },
    {
      shape: 'box',
      center: [front - cabLength / 2, 0, height * 0.72],
      size: [cabLength * 0.98, width + 0.02, height * 0.26],
      material: { texture: 'glass', color, accent: DARK_GLASS, scale: cabLength * 0.8 },
    },
  ];
}

export function truck(random: Random): Model {
  const length = random.uniform(6, 9.5);
  const width = random.uniform(2.2, 2.6);
  const height = random.uniform(2.7, 3.6);
  const cab = 1.9;
  const bodyColor = random.pick<Color>([
    [0.75, 0.75, 0.72],
    [0.6, 0.6, 0.6],
    [0.3, 0.32, 0.35],
    [0.1, 0.2, 0.4],
    [0.5, 0.12, 0.06],
  ]);
  const bed = length - cab - 0.15;
  const open = random.chance(0.25);
  const bodyTop = open ? 1.7 : height;
  return {
    size: [length, width, height],
    solids: [
      ...tractor(random, cab, width * 0.95, Math.min(height, 2.6), length / 2),
      {
        shape: 'box',
        center: [-length / 2 + bed / 2, 0, (0.95 + bodyTop) / 2],
        size: [bed, width, bodyTop - 0.95],
        material: { texture: 'panels', color: bodyColor, scale: 0.9, seed: random.textureSeed() },
      },
      {
        shape: 'box',
        center: [-0.2, 0, 0.75],
        size: [length - 1, width * 0.6, 0.4],
        material: { texture: 'plain', color: BLACK },
      },
      ...axles([length * 0.36, -length * 0.22, -length * 0.36], width, 0.95, 0.3),
      ...(open ? [loadOf(random, bed, width, -length / 2 + bed / 2, bodyTop, height)] : []),
    ],
  };
}

function loadOf(random: Random, bed: number, width: number, x: number, z: number, top: number): Solid {
  return {
    shape: 'box',
    center: [x, 0, (z + top) / 2],
    size: [bed * 0.85, width * 0.8, top - z],
    taper: [0.3, 0.4],
    material: { texture: 'plain', color: [0.3, 0.22, 0.14], scale: 0.4, seed: random.textureSeed() },
  };
}

/** A box trailer, coupling in front. */
export function trailer(random: Random): Model {
  const length = random.uniform(8, 12.5);
  const width = random.uniform(2.4, 2.6);
  const height = random.uniform(3.3, 3.9);
  const color = random.pick<Color>([
    [0.72, 0.72, 0.7],
    [0.15, 0.3, 0.5],
    [0.5, 0.25, 0.1],
    [0.62, 0.55, 0.1],
  ]);
  return {
    size: [length, width, height],
    solids: [
      {
        shape: 'box',
        center: [0, 0, (1.15 + height) / 2],
        size: [length, width, height - 1.15],
        material: { texture: 'panels', color, scale: 0.45, seed: random.textureSeed() },
      },
      {
        shape: 'box',
        center: [0, 0, 0.98],
        size: [length * 0.96, 1.2, 0.34],
        material: { texture: 'plain', color: BLACK },
      },
      {
        shape: 'box',
        center: [-length / 2 + 0.08, 0, 0.75],
        size: [0.12, width * 0.95, 0.3],
        material: { texture: 'stripes', color: [0.7, 0.04, 0.03], accent: [0.75, 0.75, 0.7], scale: 0.6 },
      },
      ...axles([-length * 0.2, -length * 0.31, -length * 0.42], width, 0.98, 0.32),
      ...[-0.6, 0.6].map((y): Solid => ({
        shape: 'box',
        center: [length * 0.3, y, 0.45],
        size: [0.15, 0.15, 0.9],
        material: { texture: 'plain', color: BLACK },
      })),
    ],
  };
}

export function bus(random: Random): Model {
  const length = random.uniform(10, 12.5);
  const width = 2.55;
  const height = random.uniform(3.0, 3.4);
  const color = random.pick<Color>([
    [0.6, 0.06, 0.04],
    [0.65, 0.5, 0.04],
    [0.1, 0.35, 0.16],
    [0.7, 0.72, 0.74],
    [0.06, 0.2, 0.45],
  ]);
  return {
    size: [length, width, height],
    solids: [
      {
        shape: 'box',
        center: [0, 0, (0.32 + height) / 2],
        size: [length, width, height - 0.32],
        taper: [0.02, 0.04],
        material: { texture: 'vehicle_body', color, seed: random.textureSeed() },
      },
      {
        shape: 'box',
        center: [0, 0, height * 0.64],
        size: [length + 0.03, width + 0.02, height * 0.32],
        material: { texture: 'glass', color, accent: DARK_GLASS, scale: 1.5 },
      },
      {
        shape: 'box',
        center: [-length * 0.15, 0, height - 0.02],
        size: [length * 0.3, 1.6, 0.35],
        material: { texture: 'plain', color: shade(color, 0.7) },
      },
      ...axles([length * 0.28, -length * 0.25], width + 0.02, 0.98, 0.3),
    ],
  };
}

/** An excavator or a wheel loader. */
export function constructionVehicle(random: Random): Model {
  const yellow: Color = random.chance(0.7) ? [0.65, 0.4, 0.02] : [0.6, 0.22, 0.03];
  const paint = { texture: 'plain', color: yellow, scale: 0.6, seed: random.textureSeed() } as const;
  const length = random.uniform(6, 7.5);
  const width = random.uniform(2.4, 2.8);
  const height = random.uniform(3.25, 3.6);
  const front = length / 2;
  const cab: Solid = {
    shape: 'box',
    center: [-length * 0.12, 0.35, (1.4 + height) / 2],
    size: [1.6, 1.3, height - 1.4],
    taper: [0.1, 0.1],
    material: { texture: 'glass', color: yellow, accent: DARK_GLASS, scale: 1.2 },
  };
  const engine: Solid = {
    shape: 'box',
    center: [-length * 0.3, 0, 1.55],
    size: [length * 0.38, width * 0.85, 1.1],
    taper: [0.1, 0.1],
    material: paint,
  };
  if (random.chance(0.5)) {
    const track = (y: number): Solid => ({
      shape: 'box',
      center: [-length * 0.18, y, 0.45],
      size: [length * 0.6, 0.55, 0.9],
      taper: [0.12, 0],
      material: { texture: 'bands', color: BLACK, accent: [0.06, 0.055, 0.05], scale: 0.3 },
    });
    return {
      size: [length, width, height],
      solids: [
        track(width / 2 - 0.28),
        track(-(width / 2 - 0.28)),
        engine,
        cab,
        {
          shape: 'box',
          center: [length * 0.1, -0.35, 2.35],
          size: [2.6, 0.4, 0.45],
          pitch: -0.55,
          material: paint,
        },
        {
          shape: 'box',
          center: [front - 0.85, -0.35, 1.9],
          size: [0.36, 0.34, 2.4],
          pitch: 0.35,
          material: paint,
        },
        {
          shape: 'box',
          center: [front - 0.6, -0.35, 0.55],
          size: [1.1, 1.1, 0.8],
          taper: [0.3, 0],
          material: { texture: 'plain', color: [0.1, 0.09, 0.08] },
        },
      ],
    };
  }
  return {
    size: [length, width, height],
    solids: [
      ...axles([length * 0.16, -length * 0.3], width, 1.4, 0.55),
      engine,
      cab,
      { shape: 'box', center: [length * 0.08, 0, 1.1], size: [length * 0.35, 1.2, 0.7], material: paint },
      { shape: 'box', center: [length * 0.26, 0, 1.25], size: [2.1, 1.4, 0.3], pitch: 0.4, material: paint },
      {
        shape: 'box',
        center: [front - 0.55, 0, 0.6],
        size: [1.1, width, 0.95],
        taper: [0.45, 0],
        material: { texture: 'plain', color: [0.16, 0.13, 0.1] },
      },
    ],
  };
}

/** The frame and the wheels of a two-wheeler that is `length` long. */
export function twoWheels(length: number, diameter: number, tyre: number): Solid[] {
  return [
    wheel(length / 2 - diameter / 2, 0, diameter, tyre),
    wheel(-(length / 2 - diameter / 2), 0, diameter, tyre),
  ];
}
