import type { RigidTransform, Vector3 } from '../geometry/rigid-transform.js';
import { occ3dLabel } from '../dataset/occ3d.js';
import type { Occ3dClass } from '../dataset/occ3d.js';

const SHAPES = ['box', 'ellipsoid', 'cylinder'] as const;

/** How a surface is painted; native/simulation/primitive.h lists the same names in the same order. */
const TEXTURES = [
  'plain',
  'facade',
  'foliage',
  'panels',
  'bands',
  'stripes',
  'vehicle_body',
  'glass',
  'bark',
  'tyre',
] as const;

/** Linear RGB, 0…1. */
export type Color = readonly [number, number, number];

export interface Material {
  readonly texture: (typeof TEXTURES)[number];
  readonly color: Color;
  /** Second colour: windows, bands, stripes. */
  readonly accent?: Color;
  /** Metres per period of the texture. */
  readonly scale?: number;
  readonly seed?: number;
}

/** A convex body of a model. Model frame: x forward, y left, z up, origin on the ground; metres and radians. */
export interface Solid {
  readonly shape: (typeof SHAPES)[number];
  readonly center: Vector3;
  /** Full extents along its own axes. */
  readonly size: Vector3;
  /** Turns about z, then the new y, then the new x. */
  readonly yaw?: number;
  readonly pitch?: number;
  readonly roll?: number;
  /** How much smaller the top is than the bottom, as a share, along x and y (0: straight, 1: a ridge or a tip). */
  readonly taper?: readonly [number, number];
  readonly material: Material;
}

/** Where a model stands, seen from above. */
export interface Placement {
  readonly x: number;
  readonly y: number;
  readonly yaw: number;
}

/** Floats that one solid takes; native/addon/simulation_binding.cc reads them in this order. */
const FLOATS = 32;

/** Collects placed solids for the native ray caster. */
export class SolidList {
  #floats = new Float32Array(FLOATS * 256);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** `actor`: index that rendered pixels report, −1 for none. */
  add(solids: readonly Solid[], worldFromModel: RigidTransform, label: Occ3dClass, actor = -1): void {
    for (const solid of solids) {
      const center = worldFromModel.apply(solid.center);
      const taper = solid.taper ?? [0, 0];
      const { material } = solid;
      this.#push([
        SHAPES.indexOf(solid.shape),
        occ3dLabel(label),
        actor,
        ...center,
        ...localFromWorld(worldFromModel.matrix, solid),
        ...solid.size.map((extent) => extent / 2),
        ...taper,
        TEXTURES.indexOf(material.texture),
        ...material.color,
        ...(material.accent ?? material.color),
        material.scale ?? 1,
        material.seed ?? 0,
      ]);
    }
  }

  #push(record: readonly number[]): void {
    if ((this.#count + 1) * FLOATS > this.#floats.length) {
      const grown = new Float32Array(this.#floats.length * 2);
      grown.set(this.#floats);
      this.#floats = grown;
    }
    this.#floats.set(record, this.#count * FLOATS);
    this.#count += 1;
  }

  /** A list that starts with this one's solids. */
  clone(): SolidList {
    const copy = new SolidList();
    copy.#floats = this.#floats.slice();
    copy.#count = this.#count;
    return copy;
  }

  /** The packed records. */
  pack(): Float32Array {
    return this.#floats.subarray(0, this.#count * FLOATS);
  }
}

/** Rows: the solid's axes in the world frame, of the rotation worldFromModel·Rz(yaw)·Ry(pitch)·Rx(roll). */
function localFromWorld(m: readonly number[], { yaw = 0, pitch = 0, roll = 0 }: Solid): number[] {
  const [cy, sy] = [Math.cos(yaw), Math.sin(yaw)];
  const [cp, sp] = [Math.cos(pitch), Math.sin(pitch)];
  const [cr, sr] = [Math.cos(roll), Math.sin(roll)];
  const axes: readonly Vector3[] = [
    [cy * cp, sy * cp, -sp],
    [cy * sp * sr - sy * cr, sy * sp * sr + cy * cr, cp * sr],
    [cy * sp * cr + sy * sr, sy * sp * cr - cy * sr, cp * cr],
  ];
  return axes.flatMap(([x, y, z]) => [0, 3, 6].map((row) => m[row]! * x + m[row + 1]! * y + m[row + 2]! * z));
}
