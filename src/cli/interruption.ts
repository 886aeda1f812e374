/** Exit code of a program that Ctrl-C ended: 128 + SIGINT. */
export const INTERRUPTED = 130;

/** Ctrl-C and SIGTERM ask for an end after the work at hand; a second one ends the program at once, as usual. */
export class Interruption {
  #isAsked = false;
  readonly #ask = (): void => {
    this.#isAsked = true;
    this.stop();
    process.stderr.write('\ninterrupted: ends after this sample; again to end at once\n');
  };

  constructor() {
    process.on('SIGINT', this.#ask);
    process.on('SIGTERM', this.#ask);
  }

  get isAsked(): boolean {
    return this.#isAsked;
  }

  /** From now on signals do what they do by default. */
  stop(): void {
    process.off('SIGINT', this.#ask);
    process.off('SIGTERM', this.#ask);
  }
}
