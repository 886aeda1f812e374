import type { ChildProcess } from 'node:child_process';
import { withDeadline } from './waiting.js';

const TAIL_LINES = 20;

export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A started `bdc-occ node`: its log and its end. */
export class RunningNode {
  readonly #child: ChildProcess;
  readonly #exit: Promise<ProcessEnd>;
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
    this.#exit = new Promise((resolve) => {
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

  /** The last lines that it wrote. */
  get logTail(): string {
    return this.#log.trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
  }

  /** Its end; fails with the last lines of the log where that does not come. */
  exit(): Promise<ProcessEnd> {
    return withDeadline(this.#exit, () => `the end of the node; its log ends with\n${this.logTail}`);
  }

  /** Until its log has a match. Fails with the log if it ends before, and with the last lines of it where the match does not come. */
  async waitForLog(pattern: RegExp): Promise<RegExpExecArray> {
    let watch!: () => void;
    const logged = new Promise<RegExpExecArray>((resolve, reject) => {
      watch = () => {
        const match = pattern.exec(this.#log);
        if (match !== null) resolve(match);
        else if (this.#ended)
          reject(new Error(`the node ended without logging ${String(pattern)}:\n${this.#log}`));
      };
    });
    this.#watchers.add(watch);
    watch();
    try {
      return await withDeadline(
        logged,
        () => `${String(pattern)} in the node's log, which ends with\n${this.logTail}`,
      );
    } finally {
      this.#watchers.delete(watch);
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}
