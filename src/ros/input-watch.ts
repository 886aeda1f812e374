import type { CameraIntake } from '../perception/camera-intake.js';
import type { CameraSubscription } from './camera-subscriptions.js';
import type { ThrottledLog } from './throttled-log.js';

/** Says in the log what keeps the node from working: silent cameras, and input that had to be refused. */
export class InputWatch {
  readonly #intake: CameraIntake;
  readonly #cameras: readonly CameraSubscription[];
  readonly #log: ThrottledLog;
  readonly #reported = new Map<string, number>();
  readonly #received = new Map<string, number>();

  constructor(intake: CameraIntake, cameras: readonly CameraSubscription[], log: ThrottledLog) {
    this.#intake = intake;
    this.#cameras = cameras;
    this.#log = log;
  }

  /** To be called once in a while: what happened since the last call counts. */
  check(): void {
    const { faults, synchronizer } = this.#intake.statistics;
    for (const { camera, image } of this.#cameras) {
      const { received } = synchronizer.cameras[camera]!;
      if (received === (this.#received.get(camera) ?? 0)) {
        const since = received === 0 ? 'yet' : 'any more';
        this.#log.warn(
          `silent ${camera}`,
          `camera ${camera}: no image ${since} on ${image.topic} (${image.publisherCount} publishers with matching QoS)`,
        );
      }
      this.#received.set(camera, received);
    }
    for (const { code, camera, count, message } of faults) {
      const key = `${code} ${camera ?? ''}`;
      if (count > (this.#reported.get(key) ?? 0))
        this.#log.warn(key, `${message} [${code}, ${count} times so far]`);
      this.#reported.set(key, count);
    }
  }
}
