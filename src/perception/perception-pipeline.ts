import type { Engine, EngineOutput } from '../engine/types.js';
import { BdcError } from '../errors.js';
import { VoxelGrid } from '../geometry/voxel-grid.js';
import { computeCameraParameters } from './camera-parameters.js';
import { computeCoverage } from './coverage.js';
import { DetectionDecoder } from './detection-decoder.js';
import { FrameHistory } from './frame-history.js';
import type { PreparationOptions } from './image-preparation.js';
import { networkViews, type VirtualCameraMode } from './network-views.js';
import { OccupancyDecoder } from './occupancy-decoder.js';
import { RigView } from './rig-view.js';
import { computeRigRays } from './rig-rays.js';
import type { CameraFrame, CameraRig, HistoryReset, PerceptionResult } from './types.js';
import { viewImages, type ViewImages } from './view-images.js';

export interface PipelineOptions extends PreparationOptions {
  /** Belongs to the caller, who disposes of it. One that keeps history (`historyBytes`) serves this pipeline alone. */
  readonly engine: Engine;
  /** Called for each image that could not be used; the frame goes on without it. */
  readonly onImageError?: (camera: string, error: BdcError) => void;
  /** Default: `auto`. */
  readonly virtualCameras?: VirtualCameraMode;
  /** Boxes below this score are left out, in (0, 1); default: the model's. */
  readonly scoreThreshold?: number;
}

/** Counts since the start. */
export interface PipelineStatistics {
  readonly processed: number;
  readonly failed: number;
  /** By camera name: images that could not be used. */
  readonly badImages: Readonly<Record<string, number>>;
  /** By reason: frames that did without the previous frame's features. Empty for a network that keeps none. */
  readonly historyResets: Readonly<Partial<Record<HistoryReset, number>>>;
}

/**
 * Images in, voxels and boxes out: prepares the images, runs the network, decodes its outputs. Frames take turns in the order of the
 * calls; a source that may be faster than the network goes through `FrameProcessor`. Nothing here knows where frames come from.
 */
export class PerceptionPipeline {
  readonly #engine: Engine;
  readonly #onImageError: PipelineOptions['onImageError'];
  readonly #virtualCameras: VirtualCameraMode;
  readonly #preparation: PreparationOptions;
  readonly #occupancy: OccupancyDecoder | undefined;
  readonly #detections: DetectionDecoder | undefined;
  readonly #counts = { processed: 0, failed: 0 };
  readonly #badImages = new Map<string, number>();
  /** Of a network that keeps features from frame to frame. */
  readonly #history: FrameHistory | undefined;
  readonly #historyResets = new Map<HistoryReset, number>();
  #view: RigView | undefined;
  /** By camera of the rig. */
  #images: readonly ViewImages[] = [];
  /** Ends when nothing uses the engine and the rig: frames and changes of the rig take turns. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor({
    engine,
    onImageError,
    virtualCameras = 'auto',
    scoreThreshold,
    ...preparation
  }: PipelineOptions) {
    const { occupancy, detection, grid } = engine.manifest;
    this.#engine = engine;
    this.#onImageError = onImageError;
    this.#virtualCameras = virtualCameras;
    this.#preparation = preparation;
    this.#occupancy = occupancy && new OccupancyDecoder({ grid, occupancy });
    this.#detections =
      detection &&
      new DetectionDecoder({
        grid,
        detection: { ...detection, score_threshold: scoreThreshold ?? detection.score_threshold },
      });
    this.#history = engine.historyBytes > 0 ? new FrameHistory() : undefined;
  }

  get statistics(): PipelineStatistics {
    return {
      ...this.#counts,
      badImages: Object.fromEntries(this.#badImages),
      historyResets: Object.fromEntries(this.#historyResets),
    };
  }

  /**
   * Sets the cameras for frames that are given afterwards: computes where each feature cell and each camera looks, beside a frame that
   * may be in work.
   * @throws BdcError as `networkViews`; `CAMERA_DISTORTED` if the network compares images between frames and one is distorted
   */
  async setRig(rig: CameraRig): Promise<void> {
    const { input, grid } = this.#engine.manifest;
    const { featureSize, usesCalibration } = this.#engine;
    const views = networkViews(rig, input, this.#virtualCameras, usesCalibration);
    const coverage = await computeCoverage(views, new VoxelGrid(grid), input);
    const parameters = usesCalibration ? computeCameraParameters(views, input) : undefined;
    const images = await viewImages(rig, views, input, this.#preparation);
    await this.#exclusively(async () => {
      if (featureSize !== undefined) {
        const rays = computeRigRays(views, input, featureSize);
        await this.#engine.setRig({ ...rays, ...(parameters && { parameters }) });
      }
      if (usesCalibration && this.#view !== undefined && !haveSameNames(rig, this.#view.rig)) {
        this.#history?.forget('cameras_changed');
      }
      this.#view = new RigView(rig, views, coverage);
      this.#images = images;
    });
  }

  /** The rig that is set, and what its cameras see of the grid. */
  get view(): RigView | undefined {
    return this.#view;
  }

  /**
   * @throws BdcError of kind `camera`: no rig was set (`CAMERA_RIG_MISSING`), the frame is not of this rig (`CAMERA_FRAME_SIZE`), or no
   *     camera has a usable image (`CAMERA_IMAGES_MISSING`); of kind `model`: the network's outputs are not what its manifest says
   * @throws once `signal` fires: its reason, or the engine's `AbortError` if the network was at work
   */
  process(frame: CameraFrame, { signal }: { readonly signal?: AbortSignal } = {}): Promise<PerceptionResult> {
    return this.#exclusively(() => this.#processCounted(frame, signal));
  }

  async #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #processCounted(frame: CameraFrame, signal: AbortSignal | undefined): Promise<PerceptionResult> {
    try {
      const result = await this.#process(frame, signal);
      this.#counts.processed++;
      return result;
    } catch (error) {
      this.#counts.failed++;
      throw error;
    }
  }

  async #process(frame: CameraFrame, signal: AbortSignal | undefined): Promise<PerceptionResult> {
    const view = this.#viewFor(frame);
    signal?.throwIfAborted();
    const start = performance.now();
    const { images, liveCameras } = await this.#prepare(frame, view);
    const prepared = performance.now();
    const { output, history } = await this.#run(images, frame, view.rig.baseFrame, signal);
    const computed = performance.now();
    const occupancy = this.#occupancy?.decode(output, view.observedBy(liveCameras));
    const detections = this.#detections?.decode(output);
    const end = performance.now();
    return {
      stamp: frame.stamp,
      frameId: view.rig.baseFrame,
      liveCameras,
      ...(frame.egoPose && { egoPose: frame.egoPose }),
      ...(occupancy && { occupancy }),
      ...(detections && { detections }),
      ...(history && { history }),
      timings: {
        preprocess: prepared - start,
        modules: output.milliseconds,
        decode: end - computed,
        total: end - start,
      },
    };
  }

  /** The network on the images, with what it kept of the previous frame where that is of use. */
  async #run(
    images: readonly (Uint8Array | undefined)[],
    frame: CameraFrame,
    baseFrame: string,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly output: EngineOutput; readonly history?: 'used' | HistoryReset }> {
    if (this.#history === undefined) return { output: await this.#engine.run(images, signal && { signal }) };
    const since = this.#history.motionTo(frame, baseFrame);
    const isReset = typeof since === 'string';
    try {
      const options = { ...(signal && { signal }), ...(!isReset && { motion: since }) };
      const output = await this.#engine.run(images, options);
      this.#history.keep(frame, baseFrame);
      if (isReset) this.#historyResets.set(since, (this.#historyResets.get(since) ?? 0) + 1);
      return { output, history: isReset ? since : 'used' };
    } catch (error) {
      this.#history.forget('failed');
      throw error;
    }
  }

  #viewFor(frame: CameraFrame): RigView {
    if (this.#view === undefined) {
      throw new BdcError('camera', {
        code: 'CAMERA_RIG_MISSING',
        message: 'a frame came before the calibration of the cameras; set the rig first',
      });
    }
    const { length } = this.#view.rig.cameras;
    if (frame.images.length !== length) {
      throw new BdcError('camera', {
        code: 'CAMERA_FRAME_SIZE',
        message: `the rig has ${length} cameras, found a frame of ${frame.images.length}`,
      });
    }
    return this.#view;
  }

  /**
   * The network's inputs, undefined where there is no image, or none that can be used; and which cameras have one. Once it has settled
   * nothing reads the frame's images any more, whatever went wrong.
   */
  async #prepare(
    frame: CameraFrame,
    { rig: { cameras }, views }: RigView,
  ): Promise<{
    readonly images: readonly (Uint8Array | undefined)[];
    readonly liveCameras: readonly boolean[];
  }> {
    const errors: BdcError[] = [];
    const attempts = await Promise.allSettled(
      cameras.map(async ({ name }, source) => {
        const image = frame.images[source];
        try {
          return image && (await this.#images[source]!.make(image));
        } catch (error) {
          if (!(error instanceof BdcError)) throw error;
          errors.push(error);
          this.#badImages.set(name, (this.#badImages.get(name) ?? 0) + 1);
          this.#onImageError?.(name, error);
          return undefined;
        }
      }),
    );
    const images = new Array<Uint8Array | undefined>(views.length).fill(undefined);
    const liveCameras = attempts.map((attempt, source) => {
      if (attempt.status === 'rejected') throw attempt.reason;
      attempt.value?.forEach((bytes, i) => (images[this.#images[source]!.views[i]!] = bytes));
      return attempt.value !== undefined;
    });
    if (images.every((image) => image === undefined)) {
      throw new BdcError('camera', {
        code: 'CAMERA_IMAGES_MISSING',
        message: `none of ${cameras.length} cameras has an image that can be used${errors[0] ? `: ${errors[0].message}` : ''}`,
        cause: errors[0],
      });
    }
    return { images, liveCameras };
  }
}

const haveSameNames = (a: CameraRig, b: CameraRig): boolean =>
  a.cameras.map(({ name }) => name).join() === b.cameras.map(({ name }) => name).join();
