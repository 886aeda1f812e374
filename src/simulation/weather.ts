import type { Vector3 } from '../geometry/rigid-transform.js';
import type { Random } from './random.js';
import type { Color } from './solid.js';
import { shade } from './models/model.js';

/** Light and air; colours are linear RGB. */
export interface Weather {
  readonly toSun: Vector3;
  readonly sunColor: Color;
  readonly ambient: Color;
  readonly zenith: Color;
  readonly horizon: Color;
  /** Metres at which half of what a camera sees is haze. */
  readonly hazeDistance: number;
  /** 0 clear … 1 overcast. */
  readonly clouds: number;
  /** Of the ground: 0 dry … 1 puddles. */
  readonly wetness: number;
  readonly seed: number;
}

/** From dusk to high sun, clear to overcast, dry to wet. */
export function randomWeather(random: Random): Weather {
  const dusk = random.chance(0.2);
  const elevation = dusk ? random.uniform(0.04, 0.25) : random.uniform(0.25, 1.2);
  const azimuth = random.uniform(0, 2 * Math.PI);
  const clouds = random.uniform() ** 1.5;
  const warmth = Math.max(0, 0.7 - elevation); // a low sun is redder
  const sun = random.uniform(1.3, 2) * (1 - 0.85 * clouds);
  const sky = random.uniform(0.45, 0.75);
  const grey = (color: Color, share: number): Color => {
    const mean = (color[0] + color[1] + color[2]) / 3;
    return [
      color[0] + (mean - color[0]) * share,
      color[1] + (mean - color[1]) * share,
      color[2] + (mean - color[2]) * share,
    ];
  };
  return {
    toSun: [
      Math.cos(elevation) * Math.cos(azimuth),
      Math.cos(elevation) * Math.sin(azimuth),
      Math.sin(elevation),
    ],
    sunColor: [sun, sun * (0.93 - 0.35 * warmth), sun * (0.82 - 0.7 * warmth)],
    ambient: grey(shade([0.85, 0.95, 1.12], sky), clouds),
    zenith: grey(shade([0.28, 0.5, 0.95], sky * 1.3), clouds * 0.9),
    horizon: grey(shade([0.85, 0.95, 1.05], sky * 1.35), clouds * 0.9),
    hazeDistance:
      (random.chance(0.12) ? random.uniform(45, 110) : random.uniform(120, 450)) * (1 - 0.4 * clouds),
    clouds,
    wetness: random.chance(0.25) ? random.uniform(0.3, 1) : 0,
    seed: random.textureSeed(),
  };
}

/** The array that native/addon/simulation_binding.cc reads. */
export function packWeather(weather: Weather): Float32Array {
  const { toSun, sunColor, ambient, zenith, horizon, hazeDistance, clouds, wetness, seed } = weather;
  return Float32Array.from([
    ...toSun,
    ...sunColor,
    ...ambient,
    ...zenith,
    ...horizon,
    hazeDistance,
    clouds,
    wetness,
    seed,
  ]);
}
