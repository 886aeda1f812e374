import { createRequire } from 'node:module';
import { BdcError, type FaultKind } from '../errors.js';
import { AbortError } from './abort-error.js';
import type { GraphOperation, ModuleName } from './manifest.js';
import type { TensorEntry } from './safetensors.js';
import type { Isa, RigidMotion } from './types.js';

/** An engine on the native side; only the addon can look inside. */
export type NativeHandle = object & { readonly __nativeEngine: never };

/** The parsed model file; native code believes none of it. A batch of cameras is 0. */
export interface NativeModel {
  readonly dataOffset: number;
  readonly tensors: readonly TensorEntry[];
  readonly inputs: readonly { readonly name: string; readonly shape: readonly number[] }[];
  readonly operations: readonly GraphOperation[];
  readonly outputs: readonly { readonly role: string; readonly tensor: string }[];
  readonly images: {
    readonly width: number;
    readonly height: number;
    readonly mean: readonly number[];
    readonly std: readonly number[];
  };
  readonly grid: {
    readonly min: readonly number[];
    readonly max: readonly number[];
    readonly shape: readonly number[];
  };
  readonly cameras: number;
}

/** Multiply-adds that one thread of this machine reaches at most, 10⁹ a second. */
export interface MachinePeaks {
  /** XOR, popcount and add on registers. */
  readonly binary: number;
  /** float32 multiply-add on registers. */
  readonly real: number;
}

export type Arithmetic =
  'none' | 'real' | 'int8' | 'binary' | 'binary_weight_int8_input' | 'binary_weight_real_input';

export interface NativeOperation {
  readonly arithmetic: Arithmetic;
  /** Multiply-adds of one image. */
  readonly macs: number;
  readonly parameters: number;
  /** Of the parameters, those of one bit. */
  readonly binaryParameters: number;
  /** Of the first output; a batch of cameras is 0. */
  readonly outputShape: readonly [number, number, number, number];
}

/** One step of the plan: an operation of the graph, or several that were fused. */
export interface NativeStep {
  /** Of the first operation. */
  readonly name: string;
  /** What it computes, e.g. `binary_conv2d + rprelu`. */
  readonly op: string;
  readonly module: ModuleName;
  readonly arithmetic: Arithmetic;
  /** Multiply-adds of one image. */
  readonly macs: number;
  /** Read and written between steps by a frame with all cameras; constants not counted. */
  readonly bytes: number;
  /** Of the first output; a batch of cameras is 0. */
  readonly outputShape: readonly [number, number, number, number];
}

export interface NativeEngine {
  readonly handle: NativeHandle;
  readonly isa: Isa;
  readonly threads: number;
  /** What was asked for and the system does not allow. */
  readonly warnings: readonly string[];
  readonly arenaBytes: number;
  readonly historyBytes: number;
  readonly usesCalibration: boolean;
  readonly featureSize?: readonly [number, number];
  readonly operations: readonly NativeOperation[];
  readonly steps: readonly NativeStep[];
  readonly outputs: readonly {
    readonly role: string;
    readonly type: 'f32' | 'u8';
    readonly shape: readonly number[];
  }[];
}

export interface NativeRig {
  readonly cameras: number;
  readonly height: number;
  readonly width: number;
  readonly rays: Float32Array;
  readonly origins: Float32Array;
  readonly parameters?: Float32Array;
}

export interface NativeTensor {
  /** Index of the graph input. */
  readonly input: number;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export type NativeFrame = { readonly cameras: readonly number[]; readonly motion?: RigidMotion } & (
  { readonly images: readonly Uint8Array[] } | { readonly tensors: readonly NativeTensor[] }
);

export interface NativeResult {
  readonly outputs: readonly { readonly shape: readonly number[]; readonly data: ArrayBuffer }[];
  readonly normalizeMilliseconds: number;
  /** Of each step. */
  readonly milliseconds: Float64Array;
}

/** `exports.engine` of the addon (native/addon/engine_binding.cc). An engine takes one job at a time. */
export interface NativeApi {
  supportedIsas(): Isa[];
  measurePeaks(isa: Isa, threads: number): MachinePeaks;
  load(
    file: Uint8Array,
    model: NativeModel,
    options: {
      readonly isa?: Isa | undefined;
      readonly threads: number;
      readonly affinity: readonly number[];
      readonly nice?: number | undefined;
      readonly realtimePriority?: number | undefined;
      readonly mode: 'fast' | 'reference';
      readonly residual: 'fp16' | 'fp32';
    },
  ): Promise<NativeEngine>;
  setRig(handle: NativeHandle, rig: NativeRig): Promise<void>;
  run(handle: NativeHandle, frame: NativeFrame): Promise<NativeResult>;
  abort(handle: NativeHandle): void;
  dispose(handle: NativeHandle): void;
}

/** A raw image of 8 bits a channel, for `unpack`; native/images/unpack.h says what `at` and `layout` mean. */
export interface NativeRawImage {
  readonly data: Uint8Array;
  /** Pixels; even but for `packed`. */
  readonly width: number;
  readonly height: number;
  /** Bytes from row to row. */
  readonly step: number;
  readonly layout: 'packed' | 'yuv422' | 'yuv420' | 'bayer';
  /** Bytes of a pixel, for `packed`. */
  readonly pixelBytes?: number;
  readonly at: readonly number[];
}

export interface UnpackedImage {
  /** RGB bytes, `[height, width, 3]`. */
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** `exports.images` of the addon (native/addon/image_binding.cc): the work is done on libuv's threads. */
export interface NativeImages {
  /** The bytes must not change until the promise settles. A Bayer mosaic comes out at half its width and height. */
  unpack(image: NativeRawImage): Promise<UnpackedImage>;
  /**
   * RGB bytes `[n, 3]` of an image at n places, `at` = x, y of each in pixels (bilinear, pixel centres at whole numbers); `fill` where a
   * place is not finite. Bytes and places must not change until the promise settles.
   */
  remap(image: UnpackedImage, at: Float32Array, fill: readonly number[]): Promise<Uint8Array>;
  /** Frees the memory behind an array, all of it, at once; nothing may read it any more. */
  release(data: Uint8Array): void;
}

/** `exports.process` of the addon (native/addon/process_binding.cc). */
export interface NativeProcess {
  /** Ends the process here and now. Unlike with `process.exit`, no exit handler of a library runs. */
  end(exitCode: number): never;
}

interface Addon {
  readonly engine: NativeApi;
  readonly images: NativeImages;
  readonly process: NativeProcess;
}

const ADDON = '../../build/native/Release/bdc_occ.node';

let loaded: Addon | undefined;

function addon(): Addon {
  if (loaded === undefined) {
    try {
      loaded = createRequire(import.meta.url)(ADDON) as Addon;
    } catch (cause) {
      throw new BdcError('environment', {
        code: 'ADDON_MISSING',
        message: `the native engine can't be loaded (${(cause as Error).message}); build it with: npm run build:native`,
        cause,
      });
    }
  }
  return loaded;
}

/** @throws BdcError `ADDON_MISSING` where the native addon has not been built, or was built for another machine */
export const nativeApi = (): NativeApi => addon().engine;

/** @throws BdcError `ADDON_MISSING` */
export const nativeImages = (): NativeImages => addon().images;

/** @throws BdcError `ADDON_MISSING` */
export const nativeProcess = (): NativeProcess => addon().process;

/** Instruction sets that this CPU runs, slowest first. */
export const supportedIsas = (): readonly Isa[] => nativeApi().supportedIsas();

/** What one thread of this machine reaches at most; takes some 20 ms of this thread. */
export const measurePeaks = (isa: Isa, threads = 1): MachinePeaks => nativeApi().measurePeaks(isa, threads);

const KINDS: readonly string[] = ['model', 'camera', 'configuration', 'environment'] satisfies FaultKind[];

/** What native code rejects with, as the program's own error classes. */
export function fromNativeError(error: unknown): unknown {
  const { kind, code, message } = error as { kind?: string; code?: string; message: string };
  if (code === 'ABORTED') return new AbortError(message);
  if (kind === undefined || code === undefined || !KINDS.includes(kind)) return error;
  return new BdcError(kind as FaultKind, { code, message });
}
