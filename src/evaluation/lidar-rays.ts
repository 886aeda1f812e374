/**
 * Directions of RayIoU's rays, `[n, 3]`, as SparseOcc generates them (arXiv 2312.17118): one a degree of azimuth, at elevations from
 * −45° on that meet flat ground at 1, 2, … 10 times the origin's height and go on evenly up to 12°.
 */
export function lidarRays(): Float64Array {
  const pitches = Array.from({ length: 10 }, (_, k) => Math.atan(k + 1) - Math.PI / 2);
  const step = pitches[9]! - pitches[8]!;
  while (pitches.at(-1)! < 0.21) pitches.push(pitches.at(-1)! + step);
  return Float64Array.from(
    pitches.flatMap((pitch) =>
      Array.from({ length: 360 }, (_, degrees) => {
        const azimuth = (degrees * Math.PI) / 180;
        return [Math.cos(pitch) * Math.cos(azimuth), Math.cos(pitch) * Math.sin(azimuth), Math.sin(pitch)];
      }).flat(),
    ),
  );
}
