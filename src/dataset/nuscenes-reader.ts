import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { BdcError } from '../errors.js';
import { cameraModelFromInfo } from '../geometry/camera-info.js';
import type { RigidTransform, Vector3 } from '../geometry/rigid-transform.js';
import type { CameraFrame, CameraImage, CameraRig, RigCamera } from '../perception/types.js';
import { decodeNpz } from './npz-reader.js';
import { NuscenesAnnotations, type SampleAnnotations } from './nuscenes-annotations.js';
import { NuscenesIndex, type KeyFrame } from './nuscenes-index.js';
import type { SampleDataRow, SampleRow, Token } from './nuscenes-tables.js';
import { OCC3D_CLASSES, OCC3D_GRID } from './occ3d.js';
import { rayOrigins } from './ray-origins.js';

/** Occ3D's labels of one sample, `[200][200][16]` on `OCC3D_GRID`. */
export interface SampleLabels {
  readonly labels: Uint8Array;
  /** 1 where a camera sees the voxel, same order. */
  readonly cameraMask: Uint8Array;
}

/** One key frame: images with calibration, Occ3D's labels, and boxes. */
export interface DatasetSample extends SampleLabels, SampleAnnotations {
  readonly token: Token;
  readonly scene: string;
  /** In the order of the camera names asked for; base frame = the ego frame at the lidar's time. */
  readonly rig: CameraRig;
  readonly frame: CameraFrame;
  readonly globalFromBase: RigidTransform;
  /** As the table has it, metres. */
  readonly egoTranslation: Vector3;
  /** Where RayIoU's rays begin, base frame. */
  readonly rayOrigins: readonly Vector3[];
}

/** Which part of a data set is read. */
export interface DatasetSelection {
  /** Folder of the tables, for example `v1.0-trainval`; may be left out where there is only one. */
  readonly version?: string;
  /** Name of a split (`scenesOfSplit`); all samples without it. */
  readonly split?: string;
}

/** Reads a data set in the layout of nuScenes v1.0 with Occ3D's `gts/` beside it, one key frame at a time. */
export class NuscenesReader {
  readonly #index: NuscenesIndex;
  #annotations: NuscenesAnnotations | undefined;

  private constructor(index: NuscenesIndex) {
    this.#index = index;
  }

  /**
   * Opens the data set in `root`.
   * @throws BdcError of kind `dataset` if tables are missing, damaged or point to rows that are not there
   */
  static async open(root: string, { version, split }: DatasetSelection = {}): Promise<NuscenesReader> {
    return new NuscenesReader(await NuscenesIndex.open(root, version, split));
  }

  get sampleCount(): number {
    return this.#index.samples.length;
  }

  /**
   * All samples in the tables' order, with the images of `cameras` (channel names); a camera that a sample lacks is left out.
   *
   * @throws BdcError of kind `dataset` at the first file that is missing or damaged
   */
  async *samples(cameras: readonly string[]): AsyncGenerator<DatasetSample> {
    this.#annotations ??= await NuscenesAnnotations.open(this.#index);
    for (const sample of this.#index.samples) yield await this.#load(sample, cameras, this.#annotations);
  }

  /** The labels alone, in the same order. @throws BdcError as `samples` does */
  async *labels(): AsyncGenerator<SampleLabels> {
    for (const sample of this.#index.samples) yield await this.#labels(sample);
  }

  async #load(
    sample: SampleRow,
    cameras: readonly string[],
    annotations: NuscenesAnnotations,
  ): Promise<DatasetSample> {
    const { token } = sample;
    const scene = this.#index.scene(sample).name;
    const reference = this.#index.reference(sample);
    const globalFromBase = this.#index.globalFromEgo(reference);
    const baseFromGlobal = globalFromBase.inverse();
    const frames = this.#index.keyFrames(sample);
    const used = cameras.flatMap((name) => frames.filter(({ channel }) => channel === name));
    if (used.length === 0)
      throw this.#index.broken(`sample ${token} has none of the cameras ${cameras.join(', ')}`);
    const [images, labels] = await Promise.all([
      Promise.all(used.map(({ data }) => this.#image(data))),
      this.#labels(sample),
    ]);
    return {
      token,
      scene,
      rig: { baseFrame: 'base_link', cameras: used.map((frame) => this.#camera(frame, baseFromGlobal)) },
      frame: {
        stamp: nanoseconds(reference),
        images,
        egoPose: { frameId: `map of ${scene}`, worldFromBase: globalFromBase },
      },
      globalFromBase,
      egoTranslation: this.#index.egoPose(reference).translation,
      rayOrigins: rayOrigins(this.#index, sample),
      ...labels,
      ...annotations.of(sample),
    };
  }

  #camera({ data, channel }: KeyFrame, baseFromGlobal: RigidTransform): RigCamera {
    const { width, height } = data;
    const { camera_intrinsic, distortion_model = 'none', distortion = [] } = this.#index.calibration(data);
    const info = { width, height, distortion_model, d: distortion, k: camera_intrinsic.flat() };
    return {
      name: channel,
      model: cameraModelFromInfo(info, channel),
      baseFromCamera: baseFromGlobal
        .compose(this.#index.globalFromEgo(data))
        .compose(this.#index.egoFromSensor(data)),
    };
  }

  async #image(data: SampleDataRow): Promise<CameraImage> {
    const path = join(this.#index.root, data.filename);
    return { kind: 'compressed', stamp: nanoseconds(data), data: await readBytes(path) };
  }

  async #labels(sample: SampleRow): Promise<SampleLabels> {
    const path = join(this.#index.root, 'gts', this.#index.scene(sample).name, sample.token, 'labels.npz');
    const arrays = await decodeNpz(await readBytes(path), ['semantics', 'mask_camera'], path);
    for (const [name, { shape }] of arrays) {
      if (shape.join() !== OCC3D_GRID.shape.join()) {
        throw this.#index.broken(
          `${path}: ${name} needs shape ${OCC3D_GRID.shape.join('×')}, found ${shape.join('×')}`,
        );
      }
    }
    const labels = arrays.get('semantics')!.data;
    const strange = labels.findIndex((label) => label >= OCC3D_CLASSES.length);
    if (strange >= 0) {
      throw this.#index.broken(
        `${path}: labels go from 0 to ${OCC3D_CLASSES.length - 1}, found ${labels[strange]} at index ${strange}`,
      );
    }
    return { labels, cameraMask: arrays.get('mask_camera')!.data };
  }
}

const nanoseconds = ({ timestamp }: SampleDataRow): bigint => BigInt(timestamp) * 1000n;

async function readBytes(path: string): Promise<Uint8Array> {
  return readFile(path).catch((cause: unknown) => {
    throw new BdcError('dataset', {
      code: 'DATASET_FILE_MISSING',
      message: `${path}: cannot be read (${(cause as Error).message}); the data set is not complete`,
      cause,
    });
  });
}
