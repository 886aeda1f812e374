import { TEXT } from './theme.js';

/** Any of these may be there; the last is what the system has. */
const FONTS = "'DejaVu Sans', 'Liberation Sans', Helvetica, Arial, sans-serif";

export interface TextStyle {
  readonly size: number;
  readonly color?: string;
  readonly weight?: 'normal' | 'bold';
  readonly anchor?: 'start' | 'middle' | 'end';
}

/** A line of text; `y` is its base line. */
export function svgText(
  text: string,
  x: number,
  y: number,
  { size, color = TEXT, weight = 'normal', anchor = 'start' }: TextStyle,
): string {
  return (
    `<text x="${x}" y="${y}" font-size="${size}" font-weight="${weight}" fill="${color}" ` +
    `text-anchor="${anchor}">${escapeXml(text)}</text>`
  );
}

export function svgDocument(width: number, height: number, elements: readonly string[]): Buffer {
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="${FONTS}">` +
      `${elements.join('')}</svg>`,
  );
}

/** Short enough for a picture, exact to a hundredth of a pixel. */
export const pixels = (...values: readonly number[]): string => values.map((v) => v.toFixed(2)).join(',');

const escapeXml = (text: string): string =>
  text.replace(/[<>&"']/g, (character) => `&#${character.charCodeAt(0)};`);
