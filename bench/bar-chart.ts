export interface ChartRow {
  readonly label: string;
  /** One value a series; null: none. */
  readonly values: readonly (number | null)[];
  /** Where a tick is drawn. */
  readonly mark?: number | undefined;
}

const COLORS = ['#1f6feb', '#8b949e', '#d29922'];
const [LEFT, WIDTH, BAR, GAP, TOP] = [210, 720, 14, 12, 56];

const escapeXml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** A chart of horizontal bars as SVG: for each row one bar a series, and a tick at its mark. */
export function barChart(title: string, series: readonly string[], rows: readonly ChartRow[]): string {
  const largest = Math.max(
    1,
    ...rows.flatMap(({ values, mark }) => [...values.map((value) => value ?? 0), mark ?? 0]),
  );
  const scale = (WIDTH - LEFT - 60) / largest;
  const rowHeight = series.length * BAR + GAP;
  const height = TOP + rows.length * rowHeight + 10;
  const text = (x: number, y: number, content: string, attributes = ''): string =>
    `<text x="${x}" y="${y}" ${attributes}>${escapeXml(content)}</text>`;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${height}" fill="white"/>`,
    text(10, 20, title, 'font-size="15"'),
    ...series.map(
      (name, i) =>
        `<rect x="${10 + 180 * i}" y="30" width="12" height="12" fill="${COLORS[i]}"/>` +
        text(28 + 180 * i, 41, name),
    ),
  ];
  rows.forEach(({ label, values, mark }, row) => {
    const y = TOP + row * rowHeight;
    parts.push(text(LEFT - 8, y + (series.length * BAR) / 2 + 4, label, 'text-anchor="end"'));
    values.forEach((value, i) => {
      if (value === null) return;
      const length = (value * scale).toFixed(1);
      parts.push(
        `<rect x="${LEFT}" y="${y + i * BAR}" width="${length}" height="${BAR - 2}" fill="${COLORS[i]}"/>`,
        text(LEFT + Number(length) + 4, y + i * BAR + BAR - 4, `${value.toFixed(1)}×`, 'font-size="10"'),
      );
    });
    if (mark !== undefined) {
      const x = (LEFT + mark * scale).toFixed(1);
      parts.push(
        `<line x1="${x}" x2="${x}" y1="${y - 2}" y2="${y + series.length * BAR}" stroke="#cf222e" stroke-width="2"/>`,
      );
    }
  });
  return [...parts, '</svg>', ''].join('\n');
}
