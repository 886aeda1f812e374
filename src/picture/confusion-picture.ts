import { svgDocument, svgText } from './svg.js';
import { BACKGROUND, css, mix, MUTED_TEXT } from './theme.js';

const CELL = 34;
const LEFT = 190;
const TOP = 190;
const RIGHT = 30;
const HOT = [120, 200, 255] as const;

/**
 * A confusion matrix as SVG: rows are true classes, columns predicted ones, each row in percent of itself.
 * @param counts `[true class][predicted class]`
 */
export function confusionPicture(classes: readonly string[], counts: readonly (readonly number[])[]): Buffer {
  const width = LEFT + classes.length * CELL + RIGHT;
  const height = TOP + classes.length * CELL + RIGHT;
  const cells = counts.flatMap((row, truth) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    return row.map((count, predicted) => {
      const share = total === 0 ? 0 : count / total;
      const [x, y] = [LEFT + predicted * CELL, TOP + truth * CELL];
      // The square root keeps small confusions visible.
      const color = css(mix(BACKGROUND, HOT, Math.sqrt(share)));
      const frame = truth === predicted ? ' stroke="#ffffff" stroke-opacity="0.5"' : '';
      return (
        `<rect x="${x + 1}" y="${y + 1}" width="${CELL - 2}" height="${CELL - 2}" fill="${color}"${frame}/>` +
        (share < 0.005
          ? ''
          : svgText((100 * share).toFixed(0), x + CELL / 2, y + CELL / 2 + 4, {
              size: 11,
              anchor: 'middle',
              color: share > 0.3 ? '#0b0d10' : MUTED_TEXT,
            }))
      );
    });
  });
  const names = classes.flatMap((name, i) => {
    const text = name.replaceAll('_', ' ');
    const [x, y] = [LEFT + i * CELL + CELL / 2 + 4, TOP - 10];
    return [
      svgText(text, LEFT - 10, TOP + i * CELL + CELL / 2 + 4, { size: 13, anchor: 'end' }),
      `<g transform="rotate(-60 ${x} ${y})">${svgText(text, x, y, { size: 13 })}</g>`,
    ];
  });
  return svgDocument(width, height, [
    `<rect width="${width}" height="${height}" fill="${css(BACKGROUND)}"/>`,
    svgText('Confusion, % of each row', 20, 32, { size: 18, weight: 'bold' }),
    svgText('rows: true class', 20, 54, { size: 13, color: MUTED_TEXT }),
    svgText('columns: predicted', 20, 72, { size: 13, color: MUTED_TEXT }),
    ...names,
    ...cells,
  ]);
}
