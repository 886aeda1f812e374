import { rectangleCorners } from '../geometry/oriented-rectangle.js';
import type { Vector3 } from '../geometry/rigid-transform.js';
import { InputTransform } from '../perception/input-transform.js';
import type { RigCamera } from '../perception/types.js';
import type { BirdEyeView } from './bird-eye-view.js';
import { pixels } from './svg.js';
import { css } from './theme.js';
import type { PictureBox } from './types.js';

/** Pieces that an edge is drawn in: lenses bend it, and it may leave the view half way. */
const EDGE_PIECES = 8;

/** Outlines with a stroke from the centre to the front, and a dark seam that keeps them apart from voxels of the same colour. */
export function boxesFromAbove(boxes: readonly PictureBox[], view: BirdEyeView): readonly string[] {
  return boxes.map((box) => {
    const [x, y] = box.position;
    const [length, width] = box.size;
    const corners = rectangleCorners({ center: [x, y], length, width, yaw: box.yaw });
    const outline = corners.map(([cx, cy]) => pixels(...view.toPixel(cx, cy)));
    const front = view.toPixel(x + (Math.cos(box.yaw) * length) / 2, y + (Math.sin(box.yaw) * length) / 2);
    const path = `M${outline.join('L')}ZM${pixels(...view.toPixel(x, y))}L${pixels(...front)}`;
    return stroke(path, css(box.color), 2);
  });
}

/** The twelve edges of each box and the cross on its front, as a camera sees them in an image of `width × height` pixels. */
export function boxesInImage(
  boxes: readonly PictureBox[],
  { model, baseFromCamera }: RigCamera,
  size: { readonly width: number; readonly height: number },
): readonly string[] {
  const cameraFromBase = baseFromCamera.inverse();
  const transform = new InputTransform(model, size);
  const project = (point: Vector3): readonly [number, number] | undefined => {
    const pixel = model.project(cameraFromBase.apply(point));
    if (pixel === undefined) return undefined;
    const [u, v] = transform.toInput(pixel);
    // Points nearly beside the camera land far outside, in coordinates that SVG renderers cannot hold.
    return Math.abs(u) < 8 * size.width && Math.abs(v) < 8 * size.height ? [u, v] : undefined;
  };
  return boxes.flatMap((box) => {
    const path = boxEdges(box)
      .flatMap(([from, to]) => visiblePieces(from, to, project))
      .map(([from, to]) => `M${pixels(...from)}L${pixels(...to)}`);
    return path.length === 0 ? [] : [stroke(path.join(''), css(box.color), 1.2)];
  });
}

function visiblePieces(
  from: Vector3,
  to: Vector3,
  project: (point: Vector3) => readonly [number, number] | undefined,
): (readonly [readonly [number, number], readonly [number, number]])[] {
  const points = Array.from({ length: EDGE_PIECES + 1 }, (_, i) =>
    project(from.map((value, axis) => value + ((to[axis]! - value) * i) / EDGE_PIECES) as unknown as Vector3),
  );
  return points.flatMap((point, i) => {
    const next = points[i + 1];
    return point !== undefined && next !== undefined ? [[point, next] as const] : [];
  });
}

function boxEdges({ position, size, yaw }: PictureBox): (readonly [Vector3, Vector3])[] {
  const [length, width, height] = size;
  const ground = rectangleCorners({ center: [position[0], position[1]], length, width, yaw });
  const [low, high] = [-0.5, 0.5].map((side) =>
    ground.map(([x, y]): Vector3 => [x, y, position[2] + side * height]),
  ) as [Vector3[], Vector3[]];
  return [
    ...[0, 1, 2, 3].flatMap((i): (readonly [Vector3, Vector3])[] => [
      [low[i]!, low[(i + 1) % 4]!],
      [high[i]!, high[(i + 1) % 4]!],
      [low[i]!, high[i]!],
    ]),
    // Corners 0 and 3 are the front's.
    [low[0]!, high[3]!],
    [low[3]!, high[0]!],
  ];
}

const stroke = (path: string, color: string, width: number): string =>
  `<path d="${path}" fill="none" stroke="#0b0d10" stroke-opacity="0.7" stroke-width="${width + 2}" stroke-linejoin="round"/>` +
  `<path d="${path}" fill="none" stroke="${color}" stroke-width="${width}" stroke-linejoin="round"/>`;
