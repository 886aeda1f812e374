import { NuscenesWriter } from '../dataset/nuscenes-writer.js';
import type { SceneToWrite, SampleToWrite } from '../dataset/scene-to-write.js';
import type { Capture } from './capture.js';
import { freeBytes, requireSpace, sampleBytes } from './disk-space.js';
import { Recording, encodeJpeg } from './recording.js';
import type { ImageSize } from './rig.js';
import { RIG_PLANS } from './rig-plans.js';
import type { RigName } from './rig-plans.js';

export interface NuscenesExportOptions {
  readonly out: string;
  readonly seed: number;
  readonly scenes: number;
  readonly samplesPerScene: number;
  /** Default: nuscenes. */
  readonly rig?: RigName;
  readonly imageSize: ImageSize;
  readonly samplesPerPixel: number;
  /** Before the first scene: what is left to do. */
  readonly onPlan?: (plan: ExportPlan) => void;
  /** After each scene: how many are complete, those of an earlier run included. */
  readonly onProgress?: (complete: number) => void;
  readonly signal?: AbortSignal;
}

export interface ExportPlan {
  readonly scenes: number;
  /** About what they will take on the disk. */
  readonly bytes: number;
  readonly freeBytes: number;
}

export interface NuscenesExportResult {
  readonly written: number;
  readonly skipped: number;
  /** Of this run. */
  readonly bytes: number;
  readonly seconds: number;
}

const VERSION = 'v1.0-sim';
/** Key frames are 0.5 s apart, as in nuScenes. */
const KEY_FRAME_SECONDS = 0.5;
/** The fastest ego vehicle (12 m/s, from 12 m on) then comes to the end of its street, 130 m from the middle. */
export const MOST_SAMPLES = 20;
/** 2020-09-13T12:26:40Z in microseconds; scenes begin 100 s apart. */
const EPOCH = 1_600_000_000_000_000;
/** Scenes under way at once: one renders while another is compressed and written. */
const CONCURRENT_SCENES = 2;

/**
 * Writes scenes 0 … n−1 of a seed as a nuScenes data set with Occ3D labels; scenes that are already there are left as they are.
 * @throws BdcError `DISK_FULL` before anything is rendered, `DATASET_OTHER_SETTINGS`
 */
export async function exportNuscenes(options: NuscenesExportOptions): Promise<NuscenesExportResult> {
  const {
    out,
    seed,
    scenes,
    samplesPerScene,
    rig = 'nuscenes',
    imageSize,
    samplesPerPixel,
    onPlan,
    onProgress,
    signal,
  } = options;
  const started = performance.now();
  const writer = await NuscenesWriter.open(out, VERSION, {
    seed,
    samplesPerScene,
    ...imageSize,
    samplesPerPixel,
    // Left out for the default: data sets begun before there were other rigs have none.
    ...(rig !== 'nuscenes' && { rig }),
  });
  const complete = await writer.completeScenes();
  const skipped = Array.from(complete).filter((name) => sceneIndex(name) < scenes).length;
  const todo = scenes - skipped;
  const plan = {
    scenes: todo,
    bytes: todo * samplesPerScene * sampleBytes(RIG_PLANS[rig].mounts.length, imageSize),
    freeBytes: await freeBytes(out),
  };
  requireSpace(plan, out);
  onPlan?.(plan);
  let done = skipped;
  let index = -1;
  let hasFailed = false;
  const next = (): number | undefined => {
    do index += 1;
    while (complete.has(sceneName(index)));
    return index < scenes && !hasFailed ? index : undefined;
  };
  let bytes = 0;
  onProgress?.(done);
  const work = async () => {
    try {
      for (let scene = next(); scene !== undefined; scene = next()) {
        signal?.throwIfAborted();
        const written = await writer.writeScene(await simulateScene(options, scene));
        bytes += written;
        done += 1;
        onProgress?.(done);
      }
    } catch (error) {
      // The others end after the scene that they have under way.
      hasFailed = true;
      throw error;
    }
  };
  const outcomes = await Promise.allSettled(Array.from({ length: CONCURRENT_SCENES }, work));
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
  await writer.finish();
  return { written: done - skipped, skipped, bytes, seconds: (performance.now() - started) / 1000 };
}

const SCENE_PREFIX = 'scene-';

function sceneName(index: number): string {
  return `${SCENE_PREFIX}${String(index).padStart(5, '0')}`;
}

function sceneIndex(name: string): number {
  return Number(name.slice(SCENE_PREFIX.length));
}

async function simulateScene(options: NuscenesExportOptions, index: number): Promise<SceneToWrite> {
  const recording = new Recording({ ...options, index });
  const samples: SampleToWrite[] = [];
  for (let sample = 0; sample < options.samplesPerScene; sample++) {
    const time = sample * KEY_FRAME_SECONDS;
    const timestamp = EPOCH + index * 100_000_000 + Math.round(time * 1e6);
    samples.push(await toSample(await recording.capture(time), recording, timestamp));
  }
  const { seed, rig = 'nuscenes' } = options;
  return {
    name: sceneName(index),
    identity: `simulation/${rig}/${seed}/${index}`,
    description: `simulated, seed ${seed}, scene ${index}`,
    samples,
  };
}

async function toSample(capture: Capture, recording: Recording, timestamp: number): Promise<SampleToWrite> {
  const { voxels } = capture;
  return {
    timestamp,
    globalFromEgo: capture.worldFromEgo,
    cameras: await Promise.all(
      capture.cameras.map(async ({ camera, image }) => ({
        channel: camera.channel,
        egoFromSensor: camera.egoFromCamera,
        intrinsics: camera.intrinsics,
        ...(camera.lens.distortion !== undefined && { distortion: camera.lens.distortion }),
        width: camera.width,
        height: camera.height,
        jpeg: await encodeJpeg(image.rgb, camera),
      })),
    ),
    lidar: { egoFromSensor: recording.rig.egoFromLidar, points: capture.scan.points },
    semantics: voxels.semantics,
    maskLidar: voxels.maskLidar,
    maskCamera: voxels.maskCamera,
    boxes: capture.boxes.map(({ index, actor, center, yaw, velocity, lidarPoints, visibility }) => ({
      instance: index,
      kind: actor.kind,
      center,
      size: actor.model.size,
      yaw,
      velocity,
      hasRider: actor.hasRider,
      parked: actor.parked,
      lidarPoints,
      visibility,
    })),
  };
}
