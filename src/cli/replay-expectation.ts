import type { ModelManifest } from '../engine/manifest.js';
import type { Check } from '../expectation/checks.js';
import { observe } from '../expectation/observation.js';
import { ThresholdRun, type RunFigures } from '../expectation/threshold-run.js';
import { classNamesOf, readThresholds } from '../expectation/thresholds.js';
import { detection3DArray } from '../messages/detection-messages.js';
import { occupiedVoxelsCloud } from '../messages/occupied-voxels-cloud.js';
import type { PerceptionResult, StampNs } from '../perception/types.js';

/** The thresholds of `replay --expect`, and the results so far. What is judged is what the node would publish. */
export class ReplayExpectation {
  readonly #run: ThresholdRun;
  readonly #manifest: ModelManifest;
  #start: StampNs | undefined;

  private constructor(run: ThresholdRun, manifest: ModelManifest) {
    this.#run = run;
    this.#manifest = manifest;
  }

  /** @throws BdcError as `readThresholds` */
  static async open(path: string, manifest: ModelManifest): Promise<ReplayExpectation> {
    return new ReplayExpectation(
      new ThresholdRun(await readThresholds(path, classNamesOf(manifest))),
      manifest,
    );
  }

  add(result: PerceptionResult): void {
    const { occupancy, detection } = this.#manifest;
    this.#start ??= result.stamp;
    const published = {
      cloud: occupancy && occupiedVoxelsCloud(result, occupancy),
      detections: detection && detection3DArray(result, detection.classes),
    };
    const classes = occupancy?.classes.map(({ name }) => name) ?? [];
    this.#run.add(observe(published, classes, Number(result.stamp - this.#start) / 1e9));
  }

  checks(figures: RunFigures): readonly Check[] {
    return this.#run.checks(figures);
  }
}
