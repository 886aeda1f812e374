import type { Rgb } from '../engine/manifest.js';
import { svgText } from './svg.js';
import { css, FREE, MUTED_TEXT, UNKNOWN_HATCH } from './theme.js';
import type { PictureOptions } from './types.js';

const ROW_HEIGHT = 24;
const ENTRY_WIDTH = 168;

/** Colours of the classes, of free and of unknown, in rows. */
export function legend(
  { classes, free }: Pick<PictureOptions, 'classes' | 'free'>,
  { left, top, width }: { readonly left: number; readonly top: number; readonly width: number },
): { readonly height: number; readonly elements: readonly string[] } {
  const entries: readonly (readonly [string, Rgb])[] = [
    ...classes
      .filter((_, label) => label !== free)
      .map(({ name, color }) => [name.replaceAll('_', ' '), color] as const),
    ['free', FREE],
    ['unknown', UNKNOWN_HATCH],
  ];
  // As many columns as fit, then as few as the same number of rows needs.
  const rows = Math.ceil(entries.length / Math.max(1, Math.floor(width / ENTRY_WIDTH)));
  const columns = Math.ceil(entries.length / rows);
  const elements = entries.map(([name, color], i) => {
    const x = left + (i % columns) * Math.floor(width / columns);
    const y = top + Math.floor(i / columns) * ROW_HEIGHT;
    return (
      `<rect x="${x}" y="${y + 4}" width="14" height="14" rx="3" fill="${css(color)}" stroke="#ffffff" stroke-opacity="0.2"/>` +
      svgText(name, x + 22, y + 16, { size: 13, color: MUTED_TEXT })
    );
  });
  return { height: rows * ROW_HEIGHT, elements };
}
