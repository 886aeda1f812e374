import type { Vector3 } from '../geometry/rigid-transform.js';
import type { NuscenesIndex } from './nuscenes-index.js';
import type { SampleRow } from './nuscenes-tables.js';

/** At most so many origins, spread evenly over the scene's. */
const MAX_ORIGINS = 8;
/** Metres from the vehicle along x and y, beyond which an origin is not used. */
const REACH = 39;

/**
 * Where RayIoU's rays begin in the sample's base frame, as SparseOcc chooses it: where the lidar was at each key frame of the scene, by
 * time, as far as that lies within the grid. A scene of one sample has its own lidar position alone.
 */
export function rayOrigins(index: NuscenesIndex, sample: SampleRow): readonly Vector3[] {
  const baseFromGlobal = index.globalFromEgo(index.reference(sample)).inverse();
  const places = index.samplesOfScene(sample).flatMap((other): readonly Vector3[] => {
    const data = index.reference(other);
    const { translation } = index.egoFromSensor(data);
    const origin =
      other === sample ? translation : baseFromGlobal.apply(index.globalFromEgo(data).apply(translation));
    return Math.abs(origin[0]) < REACH && Math.abs(origin[1]) < REACH ? [origin] : [];
  });
  if (places.length <= MAX_ORIGINS) return places;
  return Array.from(
    { length: MAX_ORIGINS },
    (_, i) => places[Math.round((i * (places.length - 1)) / (MAX_ORIGINS - 1))]!,
  );
}
