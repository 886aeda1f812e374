/** Centre, size (width, length, height) and quaternion (w, x, y, z) in the global frame, metres. */
export interface OrientedBox {
  readonly translation: readonly [number, number, number];
  readonly size: readonly [number, number, number];
  readonly rotation: readonly [number, number, number, number];
}

/** Whether a point lies in the box, its surface included. */
export function isInsideBox(
  { translation, size: [width, length, height], rotation }: OrientedBox,
  point: readonly [number, number, number],
): boolean {
  const norm = Math.hypot(...rotation);
  const [w, x, y, z] = rotation.map((q) => q / norm) as [number, number, number, number];
  const [dx, dy, dz] = point.map((value, axis) => value - translation[axis]!) as [number, number, number];
  // Columns of the rotation matrix: the box's axes in the global frame.
  const along = dx * (1 - 2 * (y * y + z * z)) + dy * 2 * (x * y + z * w) + dz * 2 * (x * z - y * w);
  const across = dx * 2 * (x * y - z * w) + dy * (1 - 2 * (x * x + z * z)) + dz * 2 * (y * z + x * w);
  const up = dx * 2 * (x * z + y * w) + dy * 2 * (y * z - x * w) + dz * (1 - 2 * (x * x + y * y));
  return Math.abs(along) <= length / 2 && Math.abs(across) <= width / 2 && Math.abs(up) <= height / 2;
}
