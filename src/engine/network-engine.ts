import { BdcError } from '../errors.js';
import { AbortError } from './abort-error.js';
import type { ModelManifest, ModuleName } from './manifest.js';
import {
  fromNativeError,
  type NativeApi,
  type NativeEngine,
  type NativeFrame,
  type NativeOperation,
  type NativeResult,
  type NativeStep,
} from './native.js';
import type {
  Engine,
  EngineOutput,
  FrameOptions,
  Isa,
  OperationTiming,
  OutputTensor,
  RigRays,
} from './types.js';

/** A graph input as float32, row-major `[batch, channels, height, width]`. */
export interface InputTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

const noop = (): void => {};

const disposed = (): BdcError =>
  new BdcError('configuration', { code: 'ENGINE_DISPOSED', message: 'the engine has been disposed' });

/** The engine on the native addon. Jobs take turns in the order of the calls; each runs on native threads. */
export class NetworkEngine implements Engine {
  readonly manifest: ModelManifest;
  readonly isa: Isa;
  readonly threads: number;
  readonly mode: 'fast' | 'reference';
  readonly warnings: readonly string[];
  readonly featureSize: readonly [number, number] | undefined;
  /** What each operation of the manifest's graph costs, in its order. */
  readonly operations: readonly NativeOperation[];
  /** What runs, in order. */
  readonly steps: readonly NativeStep[];
  /** Memory of all tensors between steps, and of scratch. */
  readonly arenaBytes: number;
  readonly historyBytes: number;
  readonly usesCalibration: boolean;
  readonly #api: NativeApi;
  readonly #native: NativeEngine;
  #isDisposed = false;
  #rigCameras: number | undefined;
  /** Settles, never rejects, when the last job so far has ended. */
  #lastJob: Promise<void> = Promise.resolve();

  constructor(api: NativeApi, native: NativeEngine, manifest: ModelManifest, mode: 'fast' | 'reference') {
    this.manifest = manifest;
    this.isa = native.isa;
    this.threads = native.threads;
    this.mode = mode;
    this.warnings = native.warnings;
    this.featureSize = native.featureSize;
    this.operations = native.operations;
    this.steps = native.steps;
    this.arenaBytes = native.arenaBytes;
    this.historyBytes = native.historyBytes;
    this.usesCalibration = native.usesCalibration;
    this.#api = api;
    this.#native = native;
  }

  async setRig(rig: RigRays): Promise<void> {
    const { cameras } = rig;
    const [height, width] = this.featureSize ?? [0, 0];
    await this.#inTurn(async () => {
      await this.#api.setRig(this.#native.handle, { ...rig, height, width });
      this.#rigCameras = cameras;
    });
  }

  /** The bytes are read when the frame's turn comes: leave them alone until the promise settles. */
  async run(images: readonly (Uint8Array | undefined)[], options: FrameOptions = {}): Promise<EngineOutput> {
    return this.#runFrame(() => this.#imageFrame(images), options);
  }

  /**
   * For tools and tests: feeds every graph input by name. `cameras[i]` is the rig camera of image i of the batch;
   * default: the first ones.
   */
  async runTensors(
    tensors: Readonly<Record<string, InputTensor>>,
    options: FrameOptions & { readonly cameras?: readonly number[] } = {},
  ): Promise<EngineOutput> {
    return this.#runFrame(() => this.#tensorFrame(tensors, options.cameras), options);
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#api.dispose(this.#native.handle);
  }

  async #runFrame(inputs: () => NativeFrame, { signal, motion }: FrameOptions): Promise<EngineOutput> {
    const start = (): Promise<NativeResult> =>
      this.#api.run(this.#native.handle, { ...inputs(), ...(motion && { motion }) });
    if (signal === undefined) return this.#toOutput(await this.#inTurn(start));
    const abortError = (): AbortError => new AbortError('the frame was aborted', { cause: signal.reason });
    if (signal.aborted) throw abortError();
    const frame = this.#inTurn(async () => {
      if (signal.aborted) throw abortError();
      const result = start();
      const abort = (): void => this.#api.abort(this.#native.handle);
      signal.addEventListener('abort', abort);
      return result.finally(() => signal.removeEventListener('abort', abort));
    });
    // The promise need not wait for the operation that is being computed; the next job does.
    let onAbort = noop;
    const aborted = new Promise<never>((_, reject) => {
      onAbort = (): void => reject(abortError());
      signal.addEventListener('abort', onAbort);
    });
    try {
      return this.#toOutput(await Promise.race([frame, aborted]));
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  #inTurn<T>(job: () => Promise<T>): Promise<T> {
    const result = this.#lastJob.then(async () => {
      if (this.#isDisposed) throw disposed();
      try {
        return await job();
      } catch (error) {
        throw fromNativeError(error);
      }
    });
    this.#lastJob = result.then(noop, noop);
    return result;
  }

  #imageFrame(images: readonly (Uint8Array | undefined)[]): NativeFrame {
    const { width, height, cameras: mostCameras } = this.manifest.input;
    const isCountRight =
      this.#rigCameras === undefined ? images.length <= mostCameras : images.length === this.#rigCameras;
    const cameras = images.flatMap((image, camera) => (image === undefined ? [] : [camera]));
    if (!isCountRight || cameras.length === 0) {
      const expected = this.#rigCameras ?? `at most ${mostCameras}`;
      throw new BdcError('camera', {
        code: 'IMAGE_COUNT',
        message:
          `expected ${expected} images (one for each camera of the rig, undefined where there is none, ` +
          `not all undefined), found ${images.length}, ${cameras.length} of them defined`,
      });
    }
    for (const camera of cameras) {
      const image: unknown = images[camera];
      if (!(image instanceof Uint8Array) || image.length !== width * height * 3) {
        throw new BdcError('camera', {
          code: 'IMAGE_SIZE',
          message:
            `image of camera ${camera}: expected ${width * height * 3} bytes (${height}×${width} RGB), ` +
            `found ${image instanceof Uint8Array ? image.length : typeof image}`,
        });
      }
    }
    return { cameras, images: cameras.map((camera) => images[camera]!) };
  }

  #tensorFrame(
    tensors: Readonly<Record<string, InputTensor>>,
    cameras: readonly number[] | undefined,
  ): NativeFrame {
    const { inputs } = this.manifest.graph;
    for (const name of Object.keys(tensors)) {
      if (inputs.some((input) => input.name === name)) continue;
      throw new BdcError('configuration', {
        code: 'INPUT_UNKNOWN',
        message: `expected inputs ${inputs.map((input) => input.name).join(', ')}, found "${name}"`,
      });
    }
    const perCamera = inputs.find((input) => input.shape[0] === 'cameras');
    const batch = perCamera === undefined ? 0 : (tensors[perCamera.name]?.shape[0] ?? 0);
    return {
      cameras: cameras ?? Array.from({ length: batch }, (_, camera) => camera),
      tensors: inputs.flatMap(({ name }, input) => (tensors[name] ? [{ input, ...tensors[name] }] : [])),
    };
  }

  #toOutput(result: NativeResult): EngineOutput {
    const tensors = new Map<string, OutputTensor>();
    for (const [i, { shape, data }] of result.outputs.entries()) {
      const { role, type } = this.#native.outputs[i]!;
      tensors.set(role, { shape, data: type === 'u8' ? new Uint8Array(data) : new Float32Array(data) });
    }
    const operations: OperationTiming[] = this.steps.map(({ name, op, module }, i) => ({
      name,
      op,
      module,
      milliseconds: result.milliseconds[i]!,
    }));
    if (result.normalizeMilliseconds > 0) {
      const milliseconds = result.normalizeMilliseconds;
      operations.unshift({ name: 'images', op: 'normalize', module: 'image_encoder', milliseconds });
    }
    const modules: Record<ModuleName, number> = {
      image_encoder: 0,
      view_transformer: 0,
      bev_encoder: 0,
      heads: 0,
    };
    for (const { module, milliseconds } of operations) modules[module] += milliseconds;
    return { tensors, milliseconds: modules, operations };
  }
}
