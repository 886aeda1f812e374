import { firstSignal } from './first-signal.js';

export interface ShutdownReason {
  readonly text: string;
  readonly exitCode: number;
  /** The ROS context is gone, and publishers and subscriptions with it. */
  readonly isGraphGone: boolean;
}

const DEFECT = 3;

/** Waits for what ends the process: SIGINT, SIGTERM, an exception that nobody caught, or the end of the ROS context. The first one counts. */
export class ShutdownSequence {
  readonly requested: Promise<ShutdownReason>;
  #resolve!: (reason: ShutdownReason) => void;

  constructor() {
    this.requested = new Promise((resolve) => (this.#resolve = resolve));
    void firstSignal().then((signal) => this.#resolve({ text: signal, exitCode: 0, isGraphGone: false }));
    for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
      process.on(event, (error: unknown) => {
        const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
        this.#resolve({
          text: `unexpected error, please report it: ${text}`,
          exitCode: DEFECT,
          isGraphGone: false,
        });
      });
    }
  }

  /** What was requested so far, or undefined. */
  soFar(): Promise<ShutdownReason | undefined> {
    return Promise.race([this.requested, Promise.resolve(undefined)]);
  }

  /** The ROS context is about to take the node away. */
  graphIsGone(): void {
    this.#resolve({ text: 'the ROS context was shut down', exitCode: 0, isGraphGone: true });
  }
}
