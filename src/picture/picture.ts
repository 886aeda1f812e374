import sharp from 'sharp';

import { BirdEyeView } from './bird-eye-view.js';
import { boxesFromAbove } from './box-lines.js';
import { cameraImages } from './camera-images.js';
import { legend } from './legend.js';
import { pixels, svgDocument, svgText } from './svg.js';
import { BACKGROUND, css, MUTED_TEXT } from './theme.js';
import type { PictureOptions, PicturePanel } from './types.js';

const MARGIN = 24;
const PANEL_WIDTH = 800;
const PANEL_TITLE_HEIGHT = 34;
const HEADER_HEIGHT = 66;
/** Metres between the range rings. */
const RING_STEP = 10;
/** Length and width in metres of the arrow that stands for the robot. */
const EGO_SIZE = [4, 1.9] as const;

/**
 * One frame as a picture: the camera images, and below one to three bird's-eye views of voxels and boxes with a legend. The same input
 * gives the same picture (text depends on the fonts of the machine).
 *
 * @returns PNG
 */
export async function renderPicture(options: PictureOptions): Promise<Buffer> {
  const view = new BirdEyeView(options.grid, PANEL_WIDTH);
  const { panels } = options;
  const contentWidth = panels.length * view.width + (panels.length - 1) * MARGIN;
  const width = contentWidth + 2 * MARGIN;
  const images = await cameraImages(options, { left: MARGIN, top: HEADER_HEIGHT, width: contentWidth });
  const panelTop = HEADER_HEIGHT + images.height + MARGIN / 2 + PANEL_TITLE_HEIGHT;
  const panelLefts = panels.map((_, i) => MARGIN + i * (view.width + MARGIN));
  const legendTop = panelTop + view.height + MARGIN / 2;
  const { height: legendHeight, elements: legendElements } = legend(options, {
    left: MARGIN,
    top: legendTop,
    width: contentWidth,
  });
  const height = legendTop + legendHeight + MARGIN / 2;
  const rasters = panels.map((panel) => {
    const { classes, free } = panel.palette ?? options;
    return view.render(panel, classes, free);
  });
  const labels = [
    svgText(options.title, MARGIN, 32, { size: 21, weight: 'bold' }),
    svgText(options.subtitle ?? '', MARGIN, 53, { size: 13, color: MUTED_TEXT }),
    ...panels.map((panel, i) =>
      svgText(panel.title, panelLefts[i]!, panelTop - 11, { size: 16, weight: 'bold' }),
    ),
    ...legendElements,
  ];
  return sharp({ create: { width, height, channels: 3, background: css(BACKGROUND) } })
    .composite([
      ...images.overlays,
      ...rasters.map(({ data, width: w, height: h }, i) => ({
        input: data,
        raw: { width: w, height: h, channels: 3 as const },
        left: panelLefts[i]!,
        top: panelTop,
      })),
      ...panels.map((panel, i) => ({ input: drawn(panel, view), left: panelLefts[i]!, top: panelTop })),
      { input: svgDocument(width, height, labels), left: 0, top: 0 },
    ])
    .png({ compressionLevel: 9 })
    .toBuffer();
}

/** What lies above the voxels: rings, boxes, the robot. */
function drawn(panel: PicturePanel, view: BirdEyeView): Buffer {
  const [u, v] = view.toPixel(0, 0);
  const reach = Math.max(u, v, view.width - u, view.height - v) / view.pixelsPerMetre;
  const radii = Array.from({ length: Math.floor(reach / RING_STEP) }, (_, i) => (i + 1) * RING_STEP);
  const rings = radii.map((metres) => {
    const radius = metres * view.pixelsPerMetre;
    return (
      `<circle cx="${u}" cy="${v}" r="${radius}" fill="none" stroke="#ffffff" stroke-opacity="0.16"/>` +
      svgText(`${metres} m`, u + 5, v - radius + 14, { size: 11, color: 'rgba(255,255,255,0.55)' })
    );
  });
  const [length, width] = EGO_SIZE;
  const corners = [
    [length / 2, 0],
    [-length / 2, width / 2],
    [-length / 4, 0],
    [-length / 2, -width / 2],
  ].map(([x, y]) => pixels(...view.toPixel(x!, y!)));
  const ego = `<path d="M${corners.join('L')}Z" fill="#ffffff" stroke="#0b0d10" stroke-width="1.5"/>`;
  return svgDocument(view.width, view.height, [...rings, ...boxesFromAbove(panel.boxes, view), ego]);
}
