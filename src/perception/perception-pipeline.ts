import type { Engine, EngineOutput } from '../engine/types.js';
import { BdcError } from '../errors.js';
import { VoxelGrid } from '../geometry/voxel-grid.js';
import { computeCameraParameters } from './camera-parameters.js';
import { computeCoverage } from './coverage.js';
import { DetectionDecoder } from './detection-decoder.js';
import { FrameHistory } from './frame-history.js';
import { prepareImage, type PreparationOptions } from './image-preparation.js';
import { OccupancyDecoder } from './occupancy-decoder.js';
import { RigView } from './rig-view.js';
import { computeRigRays } from './rig-rays.js';
import type { CameraFrame, CameraRig, HistoryReset, PerceptionResult } from './types.js';

export interface PipelineOptions extends PreparationOptions {
  /** Belongs to the caller, who disposes of it. One that keeps history (`historyBytes`) serves this pipeline alone. */
  readonly engine: Engine;
  /** Called for each image that could not be used; the frame goes on without it. */
  readonly onImageError?: (camera: string, error: BdcError) => void;
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
  readonly #preparation: PreparationOptions;
  readonly #occupancy: OccupancyDecoder | undefined;
  readonly #detections: DetectionDecoder | undefined;
  readonly #counts = { processed: 0, failed: 0 };
  readonly #badImages = new Map<string, number>();
  /** Of a network that keeps features from frame to frame. */
  readonly #history: FrameHistory | undefined;
  readonly #historyResets = new Map<HistoryReset, number>();
  #view: RigView | undefined;
  /** Ends when nothing uses the engine and the rig: frames and changes of the rig take turns. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor({ engine, onImageError, scoreThreshold, ...preparation }: PipelineOptions) {
    const { occupancy, detection, grid } = engine.manifest;
    this.#engine = engine;
    this.#onImageError = onImageError;
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
   * @throws BdcError `CAMERA_RIG_SIZE` if the network takes fewer cameras, `CAMERA_DISTORTED` if it compares images between frames and
   *     one is distorted
   */
  async setRig(rig: CameraRig): Promise<void> {
    const { input, grid } = this.#engine.manifest;
    if (rig.cameras.length === 0 || rig.cameras.length > input.cameras) {
      throw new BdcError('camera', {
        code: 'CAMERA_RIG_SIZE',
        message: `the network takes 1 to ${input.cameras} cameras, found ${rig.cameras.length}; leave some out or use another model`,
      });
    }
    const coverage = await computeCoverage(rig, new VoxelGrid(grid), input);
    const { featureSize, usesCalibration } = this.#engine;
    const parameters = usesCalibration ? computeCameraParameters(rig, input) : undefined;
    await this.#exclusively(async () => {
      if (featureSize !== undefined) {
        const rays = computeRigRays(rig, input, featureSize);
        await this.#engine.setRig({ ...rays, ...(parameters && { parameters }) });
      }
      if (usesCalibration && this.#view !== undefined && !haveSameNames(rig, this.#view.rig)) {
        this.#history?.forget('cameras_changed');
      }
      this.#view = new RigView(rig, coverage);
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
    const images = await this.#prepare(frame, view.rig);
    const prepared = performance.now();
    const { output, history } = await this.#run(images, frame, view.rig.baseFrame, signal);
    const computed = performance.now();
    const liveCameras = images.map((image) => image !== undefined);
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
   * The network's inputs; undefined where there is no image, or none that can be used. Once it has settled nothing reads the frame's images
   * any more, whatever went wrong.
   */
  async #prepare(frame: CameraFrame, rig: CameraRig): Promise<readonly (Uint8Array | undefined)[]> {
    const errors: BdcError[] = [];
    const attempts = await Promise.allSettled(
      rig.cameras.map(async (camera, i) => {
        const image = frame.images[i];
        try {
          return image && (await prepareImage(image, camera, this.#engine.manifest.input, this.#preparation));
        } catch (error) {
          if (!(error instanceof BdcError)) throw error;
          errors.push(error);
          this.#badImages.set(camera.name, (this.#badImages.get(camera.name) ?? 0) + 1);
          this.#onImageError?.(camera.name, error);
          return undefined;
        }
      }),
    );
    const images = attempts.map((attempt) => {
      if (attempt.status === 'rejected') throw attempt.reason;
      return attempt.value;
    });
    if (images.every((image) => image === undefined)) {
      throw new BdcError('camera', {
        code: 'CAMERA_IMAGES_MISSING',
        message: `none of ${rig.cameras.length} cameras has an image that can be used${errors[0] ? `: ${errors[0].message}` : ''}`,
        cause: errors[0],
      });
    }
    return images;
  }
}

const haveSameNames = (a: CameraRig, b: CameraRig): boolean =>
  a.cameras.map(({ name }) => name).join() === b.cameras.map(({ name }) => name).join();
