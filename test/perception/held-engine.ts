import type { ModelManifest } from '../../src/engine/manifest.js';
import type { Engine, EngineOutput, FrameOptions, RigidMotion, RigRays } from '../../src/engine/types.js';
import type { CameraFrame, CameraImage } from '../../src/perception/types.js';
import { emptyDetectionMaps, engineOutput, manifest, occupancyTensors } from './engine-output.js';

const WIDTH = 160;
const HEIGHT = 90;

/** Keeps each frame until the test lets it go: what the native engine does at its own pace. */
export class HeldEngine implements Engine {
  readonly isa = 'portable';
  readonly threads = 1;
  readonly mode = 'fast';
  readonly warnings = [];
  readonly featureSize = [1, 2] as const;
  readonly historyBytes: number;
  readonly usesCalibration: boolean;
  readonly manifest: ModelManifest;
  readonly rigs: RigRays[] = [];
  readonly inputs: (readonly (Uint8Array | undefined)[])[] = [];
  readonly #running: ((output: EngineOutput) => void)[] = [];
  #onRun: (() => void) | undefined;

  /** Of each frame. */
  readonly motions: (RigidMotion | undefined)[] = [];

  constructor(changes: Partial<ModelManifest> = {}, { historyBytes = 0, usesCalibration = false } = {}) {
    this.manifest = { ...manifest, ...changes };
    this.historyBytes = historyBytes;
    this.usesCalibration = usesCalibration;
  }

  setRig(rig: RigRays): Promise<void> {
    this.rigs.push(rig);
    return Promise.resolve();
  }

  run(
    images: readonly (Uint8Array | undefined)[],
    { signal, motion }: FrameOptions = {},
  ): Promise<EngineOutput> {
    this.inputs.push(images);
    this.motions.push(motion);
    return new Promise((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason as Error));
      this.#running.push(resolve);
      this.#onRun?.();
    });
  }

  /** Waits until a frame is in work, then finishes it. */
  async finish(
    output = engineOutput({ ...occupancyTensors(), ...emptyDetectionMaps(2, 3, 4) }),
  ): Promise<void> {
    await this.untilRunning();
    this.#running.shift()!(output);
  }

  async untilRunning(): Promise<void> {
    if (this.#running.length === 0) await new Promise<void>((resolve) => (this.#onRun = resolve));
    this.#onRun = undefined;
  }

  /** Frames in work that were aborted. */
  forget(): void {
    this.#running.length = 0;
  }

  dispose(): void {
    this.#running.length = 0;
  }
}

export const grey = (
  stamp: bigint,
  changes: Partial<Extract<CameraImage, { kind: 'raw' }>> = {},
): CameraImage => ({
  kind: 'raw',
  stamp,
  width: WIDTH,
  height: HEIGHT,
  encoding: 'mono8',
  step: WIDTH,
  isBigEndian: false,
  data: new Uint8Array(WIDTH * HEIGHT).fill(100),
  ...changes,
});

export const frameAt = (stamp: bigint): CameraFrame => ({ stamp, images: [grey(stamp), grey(stamp)] });
