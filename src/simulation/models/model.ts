import type { Vector3 } from '../../geometry/rigid-transform.js';
import type { Color, Solid } from '../solid.js';

/** A thing that can be placed: its solids and the box round them (length, width, height), metres. */
export interface Model {
  readonly solids: readonly Solid[];
  readonly size: Vector3;
}

export const BLACK: Color = [0.02, 0.02, 0.022];
export const DARK_GLASS: Color = [0.03, 0.035, 0.045];

/** A wheel at (x, y), its axle along y. */
export function wheel(x: number, y: number, diameter: number, width: number): Solid {
  return {
    shape: 'cylinder',
    center: [x, y, diameter / 2],
    size: [diameter, diameter, width],
    roll: Math.PI / 2,
    material: { texture: 'tyre', color: BLACK, accent: [0.35, 0.35, 0.36] },
  };
}

/** Four wheels or more: one pair per axle position. */
export function axles(positions: readonly number[], track: number, diameter: number, width: number): Solid[] {
  return positions.flatMap((x) => [
    wheel(x, track / 2 - width / 2, diameter, width),
    wheel(x, -(track / 2 - width / 2), diameter, width),
  ]);
}

/** A colour with each channel scaled by the same factor. */
export function shade(color: Color, factor: number): Color {
  return [color[0] * factor, color[1] * factor, color[2] * factor];
}
