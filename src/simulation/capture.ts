import { OCC3D_GRID } from '../dataset/occ3d.js';
import { fromNativeError } from '../engine/native.js';
import type { RigidTransform, Vector3 } from '../geometry/rigid-transform.js';
import type { VoxelGrid } from '../geometry/voxel-grid.js';
import { velocityAt, yawRateAt } from './actor.js';
import { boxTruth } from './box-truth.js';
import type { BoxTruth } from './box-truth.js';
import type { CapturedCamera } from './captured-camera.js';
import { packGround } from './ground.js';
import { loadNativeSimulation } from './native.js';
import type { NativeCamera, NativeSimulation, PackedPose, RenderedScan, RenderedVoxels } from './native.js';
import type { Random } from './random.js';
import type { SimulatedRig } from './rig.js';
import { egoPose, solidsAt } from './world.js';
import type { World } from './world.js';
import { packWeather } from './weather.js';

export interface CaptureOptions {
  /** Rays per pixel. */
  readonly samplesPerPixel: number;
  /** Of the sensors' noise. */
  readonly noise: Random;
  readonly grid?: VoxelGrid;
}

/** What all sensors saw at one instant, and the truth. */
export interface Capture {
  /** Seconds since the scene's start. */
  readonly time: number;
  readonly worldFromEgo: RigidTransform;
  /** Of the ego vehicle, world frame, m/s. */
  readonly egoVelocity: Vector3;
  /** rad/s, left positive. */
  readonly egoYawRate: number;
  readonly cameras: readonly CapturedCamera[];
  readonly scan: RenderedScan;
  readonly voxels: RenderedVoxels;
  /** Of everything within range that a sensor could see. */
  readonly boxes: readonly BoxTruth[];
}

const RINGS = 32;
const COLUMNS = 1080;
const LIDAR_DIRECTIONS = lidarDirections();

/**
 * Renders all sensors at `time` seconds on native threads.
 * @throws BdcError environment `ADDON_NOT_BUILT`, `OUT_OF_MEMORY`
 */
export async function capture(
  world: World,
  rig: SimulatedRig,
  time: number,
  options: CaptureOptions,
): Promise<Capture> {
  const native = loadNativeSimulation();
  try {
    return await captureWith(native, world, rig, time, options);
  } catch (error) {
    throw fromNativeError(error);
  }
}

async function captureWith(
  native: NativeSimulation,
  world: World,
  rig: SimulatedRig,
  time: number,
  options: CaptureOptions,
): Promise<Capture> {
  const { noise, samplesPerPixel, grid = OCC3D_GRID } = options;
  const worldFromEgo = egoPose(world, rig, time);
  const nativeWorld = await native.buildWorld({
    primitives: solidsAt(world, time).pack(),
    ...packGround(world.ground),
    environment: packWeather(world.weather),
  });
  const exposure = meteredExposure(world);
  const views = rig.cameras.map((camera): NativeCamera => ({
    worldFromCamera: packPose(worldFromEgo.compose(camera.egoFromCamera)),
    width: camera.width,
    height: camera.height,
    ...(camera.lens.cornerRays === undefined
      ? { intrinsics: Float32Array.from(camera.intrinsics) }
      : { cornerRays: camera.lens.cornerRays }),
    samplesPerPixel,
    sensor: Float32Array.from([
      exposure * noise.uniform(0.7, 1.4),
      ...[noise.uniform(0.88, 1.12), 1, noise.uniform(0.88, 1.12)],
      noise.uniform(0.004, 0.03),
      noise.uniform(0, 0.35),
      noise.chance(0.5) ? 0 : noise.uniform(0, 0.7),
    ]),
    seed: noise.bits(),
  }));
  const worldFromLidar = packPose(worldFromEgo.compose(rig.egoFromLidar));
  const [scan, ...images] = await Promise.all([
    native.scanLidar({
      world: nativeWorld,
      worldFromLidar,
      rings: RINGS,
      columns: COLUMNS,
      directions: LIDAR_DIRECTIONS,
      seed: noise.bits(),
    }),
    ...views.map((view) => native.renderCamera({ ...view, world: nativeWorld })),
  ]);
  const voxels = await native.voxelize({
    world: nativeWorld,
    worldFromEgo: packPose(worldFromEgo),
    grid: Float32Array.from([...grid.min, ...grid.cellSize, ...grid.shape]),
    cameras: views.map((view, i) => ({ ...view, depth: images[i]!.depth })),
    worldFromLidar,
    points: scan.points,
  });
  const cameras = rig.cameras.map((camera, i) => ({ camera, image: images[i]! }));
  return {
    time,
    worldFromEgo,
    egoVelocity: [...velocityAt(world.ego, time), climbRate(world, rig, time)],
    egoYawRate: yawRateAt(world.ego, time),
    cameras,
    scan,
    voxels,
    boxes: boxTruth(world, time, worldFromEgo, cameras, scan),
  };
}

/** m/s upwards, by a central difference over 0.2 s as `velocityAt`. */
function climbRate(world: World, rig: SimulatedRig, time: number): number {
  const step = 0.1;
  const height = (at: number): number => egoPose(world, rig, at).translation[2];
  return (height(time + step) - height(time - step)) / (2 * step);
}

function packPose(pose: RigidTransform): PackedPose {
  return Float32Array.from([...pose.matrix, ...pose.translation]);
}

/** Brings a sunlit grey surface to a middle value, as a camera's exposure control would. */
function meteredExposure({ weather }: World): number {
  const mean = (color: readonly number[]) => (color[0]! + color[1]! + color[2]!) / 3;
  return 2.2 / (mean(weather.ambient) + 0.6 * mean(weather.sunColor));
}

/** The 32 rings of the spinning lidar on nuScenes' cars: −30.67° to 10.67° in equal steps. */
function lidarDirections(): Float32Array {
  const directions = new Float32Array(RINGS * COLUMNS * 3);
  for (let ring = 0; ring < RINGS; ring++) {
    const elevation = ((-30.67 + (41.34 * ring) / (RINGS - 1)) * Math.PI) / 180;
    for (let column = 0; column < COLUMNS; column++) {
      const azimuth = (2 * Math.PI * column) / COLUMNS;
      directions.set(
        [
          Math.cos(elevation) * Math.cos(azimuth),
          Math.cos(elevation) * Math.sin(azimuth),
          Math.sin(elevation),
        ],
        (ring * COLUMNS + column) * 3,
      );
    }
  }
  return directions;
}
