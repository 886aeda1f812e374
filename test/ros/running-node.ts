import type { ChildProcess } from 'node:child_process';

/** A started `bdc-occ node`: its log and its end. */
export class RunningNode {
  readonly exit: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  readonly #child: ChildProcess;
  readonly #watchers = new Set<() => void>();
  #log = '';
  #ended = false;

  constructor(child: ChildProcess) {
    this.#child = child;
    const add = (text: Buffer): void => {
      this.#log += text.toString();
      for (const watch of this.#watchers) watch();
    };
    child.stdout!.on('data', add);
    child.stderr!.on('data', add);
    this.exit = new Promise((resolve) => {
      child.on('close', (code, signal) => {
        this.#ended = true;
        for (const watch of this.#watchers) watch();
        resolve({ code, signal });
      });
    });
  }

  /** Everything it wrote. */
  get log(): string {
    return this.#log;
  }

  /** Until its log has a match. Fails with the log if it ends before. */
  waitForLog(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const watch = (): void => {
        const match = pattern.exec(this.#log);
        if (match === null && !this.#ended) return;
        this.#watchers.delete(watch);
        if (match !== null) resolve(match);
        else reject(new Error(`the node ended without logging ${String(pattern)}:\n${this.#log}`));
      };
      this.#watchers.add(watch);
      watch();
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}
