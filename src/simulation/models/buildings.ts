import type { Random } from '../random.js';
import type { Color, Material, Solid } from '../solid.js';
import { DARK_GLASS, shade } from './model.js';

const WALLS: readonly Color[] = [
  [0.42, 0.2, 0.13],
  [0.5, 0.45, 0.36],
  [0.6, 0.57, 0.5],
  [0.34, 0.34, 0.35],
  [0.55, 0.4, 0.22],
  [0.3, 0.37, 0.42],
  [0.48, 0.32, 0.27],
];

function facade(random: Random): Material {
  return {
    texture: 'facade',
    color: shade(random.pick(WALLS), random.uniform(0.7, 1.1)),
    accent: random.chance(0.7) ? DARK_GLASS : [0.1, 0.13, 0.17],
    scale: random.uniform(2, 4.5),
    seed: random.textureSeed(),
  };
}

/** A block of flats or offices: `length` along x, `depth` along y. */
export function block(random: Random, length: number, depth: number): Solid[] {
  const height = 3.2 * random.integer(2, 8);
  const material = facade(random);
  const solids: Solid[] = [
    { shape: 'box', center: [0, 0, height / 2], size: [length, depth, height], material },
  ];
  if (random.chance(0.35)) {
    const above = 3.2 * random.integer(1, 3);
    solids.push({
      shape: 'box',
      center: [length * random.uniform(-0.2, 0.2), 0, height + above / 2],
      size: [length * 0.5, depth * 0.7, above],
      material: { ...material, color: shade(material.color, 0.85) },
    });
  }
  if (random.chance(0.4)) {
    solids.push({
      shape: 'box',
      center: [0, 0, 3],
      size: [length * 0.6, depth + 2.2, 0.25],
      material: { texture: 'plain', color: random.pick(WALLS) },
    });
  }
  return solids;
}

/** A house with a gabled roof, ridge along x. */
export function house(random: Random, length: number, depth: number): Solid[] {
  const eaves = 3.2 * random.integer(1, 2);
  const roof = random.uniform(1.8, 3.2);
  const tiles: Color = random.chance(0.6) ? [0.28, 0.1, 0.06] : [0.12, 0.12, 0.13];
  return [
    { shape: 'box', center: [0, 0, eaves / 2], size: [length, depth, eaves], material: facade(random) },
    {
      shape: 'box',
      center: [0, 0, eaves + roof / 2],
      size: [length + 0.6, depth + 0.9, roof],
      taper: [0.05, 0.98],
      material: { texture: 'panels', color: tiles, scale: 0.5, seed: random.textureSeed() },
    },
    {
      shape: 'box',
      center: [length * 0.25, 0, eaves + roof * 0.8],
      size: [0.7, 0.7, roof],
      material: { texture: 'plain', color: [0.3, 0.15, 0.1] },
    },
  ];
}

/** A hall: long, low, few windows. */
export function hall(random: Random, length: number, depth: number): Solid[] {
  const height = random.uniform(5, 9);
  const color = shade(random.pick(WALLS), 0.9);
  return [
    {
      shape: 'box',
      center: [0, 0, height / 2],
      size: [length, depth, height],
      material: { texture: 'panels', color, scale: 1.2, seed: random.textureSeed() },
    },
    {
      shape: 'box',
      center: [length * random.uniform(-0.25, 0.25), 0, 1.9],
      size: [4.5, depth + 0.1, 3.8],
      material: { texture: 'panels', color: shade(color, 0.5), scale: 0.6 },
    },
  ];
}
