import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const SAMPLE_MS = 500;

export interface Usage {
  /** Of one core. */
  readonly cpuPercent: number;
  readonly rssMb: number;
  /** Of it, memory shared with other processes, when it was most. */
  readonly rssSharedMb: number;
  /** Median of the last quarter minus that of the first: what a leak would show. */
  readonly rssGrowthMb: number;
}

/** CPU time and resident memory of a process, from /proc. */
export class ProcessUsage {
  readonly #pid: number;
  readonly #ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  readonly #rss: number[] = [];
  readonly #shared: number[] = [];
  readonly #timer: NodeJS.Timeout;
  readonly #startTicks: number;
  readonly #startedAt = performance.now();

  constructor(pid: number) {
    this.#pid = pid;
    this.#startTicks = this.#ticks();
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS);
  }

  /** Must be called while the process runs. */
  stop(): Usage {
    clearInterval(this.#timer);
    this.#sample();
    const cpuSeconds = (this.#ticks() - this.#startTicks) / this.#ticksPerSecond;
    const quarter = Math.ceil(this.#rss.length / 4);
    return {
      cpuPercent: (100 * cpuSeconds) / ((performance.now() - this.#startedAt) / 1000),
      rssMb: Math.max(...this.#rss),
      rssSharedMb: Math.max(...this.#shared),
      rssGrowthMb: median(this.#rss.slice(-quarter)) - median(this.#rss.slice(0, quarter)),
    };
  }

  /** User and system time (proc_pid_stat(5), fields 14 and 15). */
  #ticks(): number {
    const stat = readFileSync(`/proc/${this.#pid}/stat`, 'utf8');
    // the second field, in brackets, may hold spaces
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(fields[11]) + Number(fields[12]);
  }

  /** Resident memory, and of it shared memory (proc_pid_status(5)). */
  #sample(): void {
    const status = readFileSync(`/proc/${this.#pid}/status`, 'utf8');
    const megabytes = (key: string): number => {
      const [, kilobytes] = new RegExp(`^${key}:\\s+(\\d+) kB$`, 'm').exec(status)!;
      return (Number(kilobytes) * 1024) / 1e6;
    };
    this.#rss.push(megabytes('VmRSS'));
    this.#shared.push(megabytes('RssShmem'));
  }
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
