import type { RiggedFrame } from './camera-intake.js';
import { LatestWins } from './latest-wins.js';
import type { PerceptionPipeline } from './perception-pipeline.js';
import type { RigView } from './rig-view.js';
import type { CameraRig, PerceptionResult } from './types.js';

/** A frame with what was found in it. */
export interface PerceivedFrame extends RiggedFrame {
  readonly result: PerceptionResult;
  /** What the rig's cameras see of the grid. */
  readonly view: RigView;
}

interface Job {
  readonly input: RiggedFrame;
  readonly signal: AbortSignal;
}

/**
 * The pipeline for frames that bring their rig: a changed rig (a camera that came or went, a new calibration) is set before its first
 * frame. One frame is in work and one may wait, the newest.
 */
export class FrameProcessor {
  readonly #pipeline: PerceptionPipeline;
  readonly #frames = new LatestWins((job: Job) => this.#process(job));
  #stop = new AbortController();
  #isClosed = false;
  #rig: CameraRig | undefined;
  #running: Promise<unknown> = Promise.resolve();

  constructor(pipeline: PerceptionPipeline) {
    this.#pipeline = pipeline;
  }

  /**
   * The frame with its result, or undefined if a newer frame took its place. Rejects as PerceptionPipeline's `setRig` and `process` do;
   * with `AbortError` after `abandon` or `close`.
   */
  process(input: RiggedFrame): Promise<PerceivedFrame | undefined> {
    const result = this.#frames.run({ input, signal: this.#stop.signal });
    // without their values, which would hold every frame there ever was
    this.#running = Promise.allSettled([this.#running, result]).then(() => undefined);
    return result;
  }

  /** Aborts the frame in work and the one that waits, which belong to a time that is over; later ones are processed. */
  abandon(): void {
    this.#stop.abort();
    if (!this.#isClosed) this.#stop = new AbortController();
  }

  /** Aborts what is in work; resolves once nothing uses the pipeline any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stop.abort();
    await this.#running;
  }

  async #process({ input, signal }: Job): Promise<PerceivedFrame> {
    signal.throwIfAborted();
    if (input.rig !== this.#rig) {
      await this.#pipeline.setRig(input.rig);
      this.#rig = input.rig;
    }
    const result = await this.#pipeline.process(input.frame, { signal });
    return { ...input, result, view: this.#pipeline.view! };
  }
}
