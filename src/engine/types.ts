import type { ModelManifest, ModuleName } from './manifest.js';

export const ISAS = ['portable', 'neon', 'neon-dotprod', 'avx2', 'avx-vnni', 'avx512', 'amx'] as const;
export type Isa = (typeof ISAS)[number];

export interface EngineOptions {
  /** Native threads that compute. Default: one for each core of `affinity`, else all cores. */
  readonly threads?: number;
  /** Cores that the threads are pinned to, in turn. Default: one each if there is a thread for every core, else wherever the process may run. */
  readonly affinity?: readonly number[];
  /** Nice value of the threads, −20 (first) … 19. Default: as the process. */
  readonly nice?: number;
  /** Priority of the threads under SCHED_FIFO, 1 … 99 (first); nice values then mean nothing. Default: not under SCHED_FIFO. */
  readonly realtimePriority?: number;
  /** Instruction set; default `$BDC_ISA`, else the best the CPU has. An error if the CPU lacks it. */
  readonly isa?: Isa;
  /** `reference`: plain unfused operations, the oracle of the fast ones. Default `$BDC_ENGINE`, else `fast`. */
  readonly mode?: 'fast' | 'reference';
  /**
   * Whether `occupancy_logits` are handed out where the model also has `occupancy_labels`. Default true; without them the engine never
   * writes them to memory.
   */
  readonly logits?: boolean;
  /**
   * How real values between fused binary layers are stored in memory. Default `$BDC_RESIDUAL`, else `fp16`: half the traffic, which is what
   * limits layers of few channels; on the shipped model's evaluation set the accuracy is the same (models/edge/README.md).
   */
  readonly residual?: 'fp16' | 'fp32';
}

/**
 * Where the network's feature cells look: what `lift_splat` needs of the cameras (docs/model-format.md). Frames: the base frame; metres.
 */
export interface RigRays {
  readonly cameras: number;
  /** `[cameras, h, w, 3]`, direction with unit component along the optical axis; NaN = the cell sees nothing. */
  readonly rays: Float32Array;
  /** `[cameras, 3]`, the optical centres. */
  readonly origins: Float32Array;
  /** `[cameras, 27]`, for an engine that `usesCalibration` (`camera_parameters` in docs/model-format.md). */
  readonly parameters?: Float32Array;
}

type Row = readonly [number, number, number, number];

/**
 * How the robot moved since the previous frame: a 3×4 matrix, row by row, that takes (x, y, z, 1) of the base frame at this frame into the
 * base frame at the previous one; metres.
 */
export type RigidMotion = readonly [...Row, ...Row, ...Row];

export interface FrameOptions {
  readonly signal?: AbortSignal;
  /**
   * For a network that keeps history (`align_previous`, `stereo_cost_volume`): the motion since the last frame whose promise was fulfilled. Left out, this frame
   * is computed as the first one is. Either way its own features are kept for the next.
   */
  readonly motion?: RigidMotion;
}

export interface OutputTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Uint8Array;
}

/** One step of a frame: an operation of the graph, or several fused into one. */
export interface OperationTiming {
  /** Of the first operation. */
  readonly name: string;
  /** Fused operations are joined: `binary_conv2d + rprelu`. */
  readonly op: string;
  readonly module: ModuleName;
  readonly milliseconds: number;
}

export interface EngineOutput {
  /** By role, as in the manifest's `graph.outputs`. */
  readonly tensors: ReadonlyMap<string, OutputTensor>;
  readonly milliseconds: Readonly<Record<ModuleName, number>>;
  readonly operations: readonly OperationTiming[];
}

/** One loaded network. Implemented by `loadEngine`; several may live in one process. */
export interface Engine {
  readonly manifest: ModelManifest;
  readonly isa: Isa;
  readonly threads: number;
  readonly mode: 'fast' | 'reference';
  /** What was asked for and this system does not allow, such as a priority; the engine works without it. */
  readonly warnings: readonly string[];
  /** `[height, width]` of the feature maps that `lift_splat` takes; undefined for a graph without one. */
  readonly featureSize: readonly [number, number] | undefined;
  /** Memory of the features that the network keeps between frames; 0 for one that keeps none. */
  readonly historyBytes: number;
  /** Whether the network needs the cameras' calibration beside their rays: `RigRays.parameters`. */
  readonly usesCalibration: boolean;
  /** Builds the projection tables on a native thread; frames that are started later use them. */
  setRig(rig: RigRays): Promise<void>;
  /**
   * Runs one frame on native threads. `images[i]`: RGB bytes `[height, width, 3]` of rig camera i, or undefined for a camera that is
   * not there (its rays contribute nothing). Rejects with `AbortError` if `signal` fires, between two operations at the latest.
   */
  run(images: readonly (Uint8Array | undefined)[], options?: FrameOptions): Promise<EngineOutput>;
  /** Frees native memory; a frame in flight is aborted. Further calls are rejected. */
  dispose(): void;
}
