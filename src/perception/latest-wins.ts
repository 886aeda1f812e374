interface Waiting<In, Out> {
  readonly input: In;
  readonly resolve: (result: Promise<Out> | undefined) => void;
}

/**
 * Runs a task on one input at a time. While it runs, one more input may wait; a newer one takes its place. Nothing queues up, and what
 * runs next is always the newest.
 */
export class LatestWins<In, Out> {
  readonly #task: (input: In) => Promise<Out>;
  #isRunning = false;
  #waiting: Waiting<In, Out> | undefined;

  constructor(task: (input: In) => Promise<Out>) {
    this.#task = task;
  }

  /** The task's result, or undefined if a newer input took this one's place. */
  async run(input: In): Promise<Out | undefined> {
    if (!this.#isRunning) return this.#start(input);
    return new Promise((resolve) => {
      this.#waiting?.resolve(undefined);
      this.#waiting = { input, resolve };
    });
  }

  async #start(input: In): Promise<Out> {
    this.#isRunning = true;
    try {
      return await this.#task(input);
    } finally {
      this.#isRunning = false;
      const next = this.#waiting;
      this.#waiting = undefined;
      next?.resolve(this.#start(next.input));
    }
  }
}
