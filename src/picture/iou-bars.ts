import type { Rgb } from '../engine/manifest.js';
import { svgDocument, svgText } from './svg.js';
import { BACKGROUND, css, MUTED_TEXT, TEXT } from './theme.js';

export interface IouBar {
  readonly name: string;
  readonly color: Rgb;
  /** Shares, 0…1; null where there is no figure. */
  readonly value: number | null;
  readonly prior: number | null;
}

const ROW = 26;
const LEFT = 200;
const LENGTH = 520;
const TOP = 84;
const WIDTH = LEFT + LENGTH + 150;

/** IoU of each class as a bar, the constant prior as a mark on it. SVG. */
export function iouBars(title: string, bars: readonly IouBar[]): Buffer {
  const values = bars.flatMap(({ value, prior }) => [value ?? 0, prior ?? 0]);
  const most = Math.max(0.1, Math.ceil(10 * Math.max(...values)) / 10);
  const x = (share: number): number => LEFT + (share / most) * LENGTH;
  const height = TOP + bars.length * ROW + 24;
  const percent = (share: number | null): string => (share === null ? '–' : (100 * share).toFixed(1));
  const ticks = Array.from({ length: Math.round(most * 10) + 1 }, (_, i) => i / 10).map(
    (share) =>
      `<path d="M${x(share)},${TOP - 6}V${height - 20}" stroke="#ffffff" stroke-opacity="0.12"/>` +
      svgText(String(Math.round(share * 100)), x(share), TOP - 12, {
        size: 11,
        color: MUTED_TEXT,
        anchor: 'middle',
      }),
  );
  const rows = bars.flatMap(({ name, color, value, prior }, i) => {
    const y = TOP + i * ROW;
    return [
      svgText(name.replaceAll('_', ' '), LEFT - 12, y + 17, { size: 13, anchor: 'end' }),
      `<rect x="${LEFT}" y="${y + 5}" width="${x(value ?? 0) - LEFT}" height="${ROW - 10}" fill="${css(color)}" ` +
        `stroke="#ffffff" stroke-opacity="0.25"/>`,
      ...(prior === null
        ? []
        : [`<path d="M${x(prior)},${y + 2}v${ROW - 4}" stroke="${TEXT}" stroke-width="2.5"/>`]),
      svgText(`${percent(value)}  (${percent(prior)})`, WIDTH - 20, y + 17, { size: 12, anchor: 'end' }),
    ];
  });
  return svgDocument(WIDTH, height, [
    `<rect width="${WIDTH}" height="${height}" fill="${css(BACKGROUND)}"/>`,
    svgText(title, 20, 32, { size: 18, weight: 'bold' }),
    svgText('IoU in %; white mark and brackets: constant prior', 20, 54, { size: 13, color: MUTED_TEXT }),
    ...ticks,
    ...rows,
  ]);
}
