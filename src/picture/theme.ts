import type { Rgb } from '../engine/manifest.js';

export const BACKGROUND: Rgb = [16, 19, 24];
export const FREE: Rgb = [50, 57, 69];
export const UNKNOWN: Rgb = [22, 26, 32];
export const UNKNOWN_HATCH: Rgb = [32, 37, 45];
export const TEXT = '#e8ecf1';
export const MUTED_TEXT = '#98a2b0';

export const css = ([r, g, b]: Rgb): string => `rgb(${r},${g},${b})`;

export const mix = (a: Rgb, b: Rgb, fraction: number): Rgb =>
  [0, 1, 2].map((i) => Math.round(a[i]! + (b[i]! - a[i]!) * fraction)) as unknown as Rgb;
