import { LatestWins } from '../perception/latest-wins.js';
import type { RiggedFrame } from '../perception/camera-intake.js';
import type { PerceptionPipeline } from '../perception/perception-pipeline.js';
import type { CameraRig, PerceptionResult } from '../perception/types.js';

/**
 * The pipeline for frames that bring their rig: a changed rig (a camera that came or went, a new calibration) is set before its first
 * frame. One frame is in work and one may wait, the newest.
 */
export class FrameProcessor {
  readonly #pipeline: PerceptionPipeline;
  readonly #frames = new LatestWins((frame: RiggedFrame) => this.#process(frame));
  readonly #stop = new AbortController();
  #rig: CameraRig | undefined;
  #running: Promise<unknown> = Promise.resolve();

  constructor(pipeline: PerceptionPipeline) {
    this.#pipeline = pipeline;
  }

  /** Frames whose place a newer one took. */
  get superseded(): number {
    return this.#frames.superseded;
  }

  /** The result, or undefined if a newer frame took this one's place. Rejects as PerceptionPipeline's `setRig` and `process` do. */
  process(frame: RiggedFrame): Promise<PerceptionResult | undefined> {
    const result = this.#frames.run(frame);
    this.#running = Promise.allSettled([this.#running, result]);
    return result;
  }

  /** Aborts what is in work; resolves once nothing uses the pipeline any more. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #process({ frame, rig }: RiggedFrame): Promise<PerceptionResult | undefined> {
    const { signal } = this.#stop;
    signal.throwIfAborted();
    if (rig !== this.#rig) {
      await this.#pipeline.setRig(rig);
      this.#rig = rig;
    }
    return this.#pipeline.process(frame, { signal });
  }
}
