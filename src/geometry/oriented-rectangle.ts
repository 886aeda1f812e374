/** A rectangle in the ground plane (x, y): metres, radians. A box seen from above. */
export interface OrientedRectangle {
  readonly center: readonly [number, number];
  /** Extent along the heading and across it. */
  readonly length: number;
  readonly width: number;
  /** Heading: 0 = +x, counter-clockwise. */
  readonly yaw: number;
}

type Point = readonly [number, number];

/** Corners, counter-clockwise from the front left. */
export function rectangleCorners({
  center: [x, y],
  length,
  width,
  yaw,
}: OrientedRectangle): readonly [Point, Point, Point, Point] {
  const [ax, ay] = [(Math.cos(yaw) * length) / 2, (Math.sin(yaw) * length) / 2];
  const [bx, by] = [(-Math.sin(yaw) * width) / 2, (Math.cos(yaw) * width) / 2];
  return [
    [x + ax + bx, y + ay + by],
    [x - ax + bx, y - ay + by],
    [x - ax - bx, y - ay - by],
    [x + ax - bx, y + ay - by],
  ];
}

/** Intersection over union of two areas, in 0…1; 0 if both are empty. */
export function rectangleIou(a: OrientedRectangle, b: OrientedRectangle): number {
  const reach = (diagonal(a) + diagonal(b)) / 2;
  const [dx, dy] = [a.center[0] - b.center[0], a.center[1] - b.center[1]];
  if (dx * dx + dy * dy >= reach * reach) return 0;
  const shared = intersectionArea(a, b);
  const union = a.length * a.width + b.length * b.width - shared;
  return union > 0 ? shared / union : 0;
}

/** Without Math.hypot, which is much slower: suppression compares up to a hundred thousand pairs. */
const diagonal = ({ length, width }: OrientedRectangle): number => Math.sqrt(length * length + width * width);

/** Area of the polygon that is left of `a` after it is cut along each edge of `b` (Sutherland and Hodgman 1974). */
function intersectionArea(a: OrientedRectangle, b: OrientedRectangle): number {
  const cutters = rectangleCorners(b);
  let polygon: readonly Point[] = rectangleCorners(a);
  cutters.forEach((from, i) => {
    polygon = cutLeftOf(polygon, from, cutters[(i + 1) % 4]!);
  });
  return polygonArea(polygon);
}

/** The part of a convex polygon to the left of the line from → to. */
function cutLeftOf(polygon: readonly Point[], from: Point, to: Point): readonly Point[] {
  const side = ([x, y]: Point): number =>
    (to[0] - from[0]) * (y - from[1]) - (to[1] - from[1]) * (x - from[0]);
  return polygon.flatMap((current, i) => {
    const next = polygon[(i + 1) % polygon.length]!;
    const [s, t] = [side(current), side(next)];
    const kept: Point[] = s >= 0 ? [current] : [];
    if (s >= 0 !== t >= 0) {
      const fraction = s / (s - t);
      kept.push([
        current[0] + fraction * (next[0] - current[0]),
        current[1] + fraction * (next[1] - current[1]),
      ]);
    }
    return kept;
  });
}

/** Shoelace formula; positive for counter-clockwise corners. */
function polygonArea(polygon: readonly Point[]): number {
  return (
    polygon.reduce((sum, [x, y], i) => {
      const [nextX, nextY] = polygon[(i + 1) % polygon.length]!;
      return sum + x * nextY - nextX * y;
    }, 0) / 2
  );
}
