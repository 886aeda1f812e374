import type { RigidTransform, Vector3 } from '../geometry/rigid-transform.js';
import type { Actor } from './actor.js';
import { placementAt, velocityAt } from './actor.js';
import type { CapturedCamera } from './captured-camera.js';
import type { RenderedScan } from './native.js';
import { actorPose } from './world.js';
import type { World } from './world.js';

/** The box of an actor, world frame; metres, radians, m/s. Its yaw is about z; the actor itself may tilt with the ground. */
export interface BoxTruth {
  /** Index in `world.actors`. */
  readonly index: number;
  readonly actor: Actor;
  readonly center: Vector3;
  readonly yaw: number;
  readonly velocity: readonly [number, number];
  readonly lidarPoints: number;
  /** Share of points spread through the box to which a camera's view is not blocked by something else, 0…1. */
  readonly visibility: number;
}

/** Metres from the ego vehicle; beyond it nuScenes' detection task has no boxes. */
const RANGE = 60;
/** Where in the box the sample points lie, in half extents. */
const SPREAD = [-0.8, 0, 0.8] as const;

/** Boxes of the actors within range that the lidar hit or a camera sees. */
export function boxTruth(
  world: World,
  time: number,
  worldFromEgo: RigidTransform,
  cameras: readonly CapturedCamera[],
  scan: RenderedScan,
): BoxTruth[] {
  const hits = new Map<number, number>();
  for (const actor of scan.actors) hits.set(actor, (hits.get(actor) ?? 0) + 1);
  const egoFromWorld = worldFromEgo.inverse();
  const views = cameras.map((view) => ({
    ...view,
    cameraFromWorld: view.camera.egoFromCamera.inverse().compose(egoFromWorld),
  }));
  return world.actors.flatMap((actor, index) => {
    const at = placementAt(actor.motion, time);
    const worldFromActor = actorPose(world, actor, time);
    const [x, y] = egoFromWorld.apply(worldFromActor.translation);
    if (Math.hypot(x, y) > RANGE) return [];
    const lidarPoints = hits.get(index) ?? 0;
    const visibility = visibleShare(actor, index, worldFromActor, views);
    if (lidarPoints === 0 && visibility === 0) return [];
    const center = worldFromActor.apply([0, 0, actor.model.size[2] / 2]);
    return [
      {
        index,
        actor,
        center,
        yaw: at.yaw,
        velocity: velocityAt(actor.motion, time),
        lidarPoints,
        visibility,
      },
    ];
  });
}

function visibleShare(
  actor: Actor,
  index: number,
  worldFromActor: RigidTransform,
  views: readonly (CapturedCamera & { readonly cameraFromWorld: RigidTransform })[],
): number {
  const [length, width, height] = actor.model.size;
  let seen = 0;
  for (const u of SPREAD) {
    for (const v of SPREAD) {
      for (const w of SPREAD) {
        const point = worldFromActor.apply([(u * length) / 2, (v * width) / 2, (height / 2) * (1 + w)]);
        if (views.some((view) => isSeen(view, view.cameraFromWorld.apply(point), index))) seen += 1;
      }
    }
  }
  return seen / SPREAD.length ** 3;
}

function isSeen({ camera, image }: CapturedCamera, point: Vector3, index: number): boolean {
  const projection = camera.lens.project(point);
  if (projection === undefined) return false;
  const [column, row] = projection.pixel.map(Math.round) as [number, number];
  if (column < 0 || row < 0 || column >= camera.width || row >= camera.height) return false;
  const pixel = row * camera.width + column;
  return image.actors[pixel] === index || image.depth[pixel]! >= projection.depth;
}
