import type { Random } from '../random.js';
import type { Color, Material, Solid } from '../solid.js';
import { shade } from './model.js';

function foliage(random: Random, scale: number): Material {
  const autumn = random.chance(0.12);
  const color: Color = autumn
    ? [random.uniform(0.25, 0.4), random.uniform(0.14, 0.22), 0.03]
    : [random.uniform(0.03, 0.1), random.uniform(0.11, 0.22), random.uniform(0.02, 0.05)];
  return {
    texture: 'foliage',
    color: shade(color, 0.35),
    accent: shade(color, 1.5),
    scale,
    seed: random.textureSeed(),
  };
}

function trunk(random: Random, height: number, diameter: number): Solid {
  return {
    shape: 'cylinder',
    center: [0, 0, height / 2],
    size: [diameter, diameter, height],
    taper: [0.3, 0.3],
    material: { texture: 'bark', color: [0.13, 0.09, 0.06], scale: 0.5, seed: random.textureSeed() },
  };
}

export function tree(random: Random): Solid[] {
  return random.chance(0.25) ? conifer(random) : broadleaf(random);
}

function broadleaf(random: Random): Solid[] {
  const height = random.uniform(4, 9);
  const crown = height * random.uniform(0.55, 0.68);
  const width = random.uniform(2.6, 5);
  const leaves = foliage(random, 0.9);
  const middle = height - crown / 2;
  const solids: Solid[] = [trunk(random, height - crown * 0.5, random.uniform(0.25, 0.45))];
  solids.push({ shape: 'ellipsoid', center: [0, 0, middle], size: [width, width, crown], material: leaves });
  for (let i = random.integer(3, 5); i > 0; i--) {
    const angle = random.uniform(0, 2 * Math.PI);
    const reach = width * random.uniform(0.2, 0.38);
    const size = width * random.uniform(0.4, 0.65);
    solids.push({
      shape: 'ellipsoid',
      center: [
        Math.cos(angle) * reach,
        Math.sin(angle) * reach,
        middle + crown * random.uniform(-0.28, 0.28),
      ],
      size: [size, size, size * random.uniform(0.6, 0.9)],
      material: leaves,
    });
  }
  return solids;
}

function conifer(random: Random): Solid[] {
  const height = random.uniform(5, 10);
  const width = height * random.uniform(0.3, 0.42);
  const leaves = foliage(random, 0.7);
  const cone = (bottom: number, top: number, share: number): Solid => ({
    shape: 'cylinder',
    center: [0, 0, (bottom + top) / 2],
    size: [width * share, width * share, top - bottom],
    taper: [0.95, 0.95],
    material: leaves,
  });
  return [
    trunk(random, 1.5, 0.3),
    cone(0.8, height * 0.6, 1),
    cone(height * 0.35, height * 0.85, 0.75),
    cone(height * 0.6, height, 0.5),
  ];
}

export function bush(random: Random): Solid[] {
  const size = random.uniform(0.8, 2);
  return [
    {
      shape: 'ellipsoid',
      center: [0, 0, size * 0.35],
      size: [size, size * random.uniform(0.7, 1.3), size * 0.9],
      material: foliage(random, 0.4),
    },
  ];
}

/** A hedge along x. */
export function hedge(random: Random, length: number): Solid[] {
  const height = random.uniform(0.8, 1.7);
  return [
    {
      shape: 'box',
      center: [0, 0, height / 2],
      size: [length, 0.8, height],
      taper: [0.02, 0.15],
      material: foliage(random, 0.4),
    },
  ];
}
