import type { Rgb } from '../engine/manifest.js';
import { svgText } from './svg.js';
import { css, FREE, mix, MUTED_TEXT, UNKNOWN, UNKNOWN_HATCH } from './theme.js';
import type { PictureOptions } from './types.js';

const ROW_HEIGHT = 24;
const ENTRY_WIDTH = 168;

/** Colours of the classes, of free and of unknown, and of what else the panels show, in rows. */
export function legend(
  { classes, free, panels }: Pick<PictureOptions, 'classes' | 'free' | 'panels'>,
  { left, top, width }: { readonly left: number; readonly top: number; readonly width: number },
): { readonly height: number; readonly elements: readonly string[] } {
  const entries: readonly (readonly [string, Rgb])[] = [
    ...occupied({ classes, free }),
    ['free', FREE],
    ['unknown', UNKNOWN],
    ...panels.flatMap(({ palette }) => (palette === undefined ? [] : occupied(palette))),
  ];
  // As many columns as fit, then as few as the same number of rows needs.
  const rows = Math.ceil(entries.length / Math.max(1, Math.floor(width / ENTRY_WIDTH)));
  const columns = Math.ceil(entries.length / rows);
  const elements = entries.map(([name, color], i) => {
    const x = left + (i % columns) * Math.floor(width / columns);
    const y = top + Math.floor(i / columns) * ROW_HEIGHT;
    return (
      `<rect x="${x}" y="${y + 4}" width="14" height="14" rx="3" fill="${css(color)}" stroke="#ffffff" stroke-opacity="0.2"/>` +
      (color === UNKNOWN ? hatch(x, y + 4) : '') +
      svgText(name, x + 22, y + 16, { size: 13, color: MUTED_TEXT })
    );
  });
  return { height: rows * ROW_HEIGHT, elements };
}

function occupied({
  classes,
  free,
}: Pick<PictureOptions, 'classes' | 'free'>): readonly (readonly [string, Rgb])[] {
  return classes
    .filter((_, label) => label !== free)
    .map(({ name, color }) => [name.replaceAll('_', ' '), color]);
}

/** As the bird's-eye view draws it, a little stronger. */
const hatch = (x: number, y: number): string =>
  `<path d="M${x + 1},${y + 6}l5,-5M${x + 1},${y + 13}l12,-12M${x + 8},${y + 13}l5,-5" ` +
  `stroke="${css(mix(UNKNOWN_HATCH, [255, 255, 255], 0.2))}" stroke-width="1.5"/>`;
