import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { WAIT_LIMIT_MS, withDeadline } from './waiting.js';

/** Of what came instead of an awaited message. */
const SHOWN_MESSAGES = 3;
const SHOWN_LENGTH = 600;

export interface Qos {
  readonly reliability?: 'reliable' | 'best_effort';
  readonly durability?: 'volatile' | 'transient_local';
  readonly depth?: number;
}

/** A long array of a received message, kept in a file. */
export interface ArrayFile {
  readonly file: string;
  readonly dtype: string;
  readonly length: number;
}

type Line =
  | { readonly reply: unknown }
  | { readonly error: string }
  | { readonly topic: string; readonly message: unknown };

interface Waiter<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

interface MessageWaiter extends Waiter<unknown> {
  readonly accepts: (message: unknown) => boolean;
}

export interface NextOptions<T> {
  readonly limitMs?: number;
  /** What of a message is shown where the awaited one does not come; all of it if not given. */
  readonly show?: (message: T) => unknown;
}

/** Drives test/ros/peer.py, a rclpy process. */
export class Peer {
  readonly #child: ChildProcess;
  readonly #nodeLogs: () => string;
  readonly #replies: Waiter<unknown>[] = [];
  readonly #messages = new Map<string, unknown[]>();
  readonly #waiting = new Map<string, MessageWaiter[]>();
  #errors = '';
  #ended: Error | undefined;

  /** @param nodeLogs how the logs of the nodes on the same graph end, for the errors of waits */
  constructor(child: ChildProcess, nodeLogs: () => string) {
    this.#child = child;
    this.#nodeLogs = nodeLogs;
    createInterface({ input: child.stdout! }).on('line', (line) => {
      // Fast DDS writes its own complaints there
      if (line.startsWith('{')) this.#onLine(JSON.parse(line) as Line);
      else this.#errors += `${line}\n`;
    });
    child.stderr!.on('data', (text: Buffer) => (this.#errors += text.toString()));
    child.on('exit', (code, signal) =>
      this.#onExit(new Error(`the rclpy process ended (${code ?? signal}): ${this.#errors}`)),
    );
  }

  advertise(topic: string, type: string, qos: Qos = {}): Promise<unknown> {
    return this.request({ op: 'advertise', topic, type, qos });
  }

  subscribe(topic: string, type: string, qos: Qos = {}): Promise<unknown> {
    return this.request({ op: 'subscribe', topic, type, qos });
  }

  publish(topic: string, message: object): Promise<unknown> {
    return this.request({ op: 'publish', topic, message });
  }

  /** Until each publisher and each subscription has somebody at the other end. */
  waitMatched(): Promise<unknown> {
    return this.request({ op: 'wait_matched' });
  }

  /** As `ros2 service call`. */
  call<Response>(type: string, name: string, request: object = {}): Promise<Response> {
    return this.request({ op: 'call_service', type, name, request }) as Promise<Response>;
  }

  /** As `ros2 param set`: whether it was taken, and why not. */
  setParameter(
    node: string,
    name: string,
    value: unknown,
  ): Promise<{ readonly successful: boolean; readonly reason: string }> {
    return this.request({ op: 'set_parameter', node, name, value }) as Promise<{
      readonly successful: boolean;
      readonly reason: string;
    }>;
  }

  /** Received messages of a topic that nobody asked for yet; forgets them. */
  drain<T>(topic: string): readonly T[] {
    const messages = (this.#messages.get(topic) ?? []) as T[];
    this.#messages.delete(topic);
    return messages;
  }

  /** Forgets every received message that nobody asked for yet. */
  drainAll(): void {
    this.#messages.clear();
  }

  /** Ends the process, and with it all its publishers and subscriptions. */
  async end(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.stdin!.end();
    await withDeadline(ended, () => `the end of the rclpy process; it wrote ${this.#errors}`);
  }

  /** What the process replies. */
  request(request: object): Promise<unknown> {
    if (this.#ended) return Promise.reject(this.#ended);
    const text = JSON.stringify(request);
    const reply = new Promise((resolve, reject) => {
      this.#replies.push({ resolve, reject });
      this.#child.stdin!.write(`${text}\n`);
    });
    return withDeadline(
      reply,
      () =>
        `the rclpy process to reply to ${text.slice(0, SHOWN_LENGTH)}; it wrote ${this.#errors}\n${this.#nodeLogs()}`,
    );
  }

  /** The first message of a subscribed topic that is accepted and was not given out before. */
  async next<T>(
    topic: string,
    accepts: (message: T) => boolean = () => true,
    { limitMs = WAIT_LIMIT_MS, show = (message) => message }: NextOptions<T> = {},
  ): Promise<T> {
    const isWanted = accepts as (message: unknown) => boolean;
    const messages = this.#messages.get(topic) ?? [];
    const found = messages.findIndex(isWanted);
    if (found >= 0) return messages.splice(found, 1)[0] as T;
    if (this.#ended) throw this.#ended;
    const waiting = this.#waiting.get(topic) ?? [];
    this.#waiting.set(topic, waiting);
    let waiter!: MessageWaiter;
    const come = new Promise<T>((resolve, reject) => {
      waiter = { resolve: resolve as (value: unknown) => void, reject, accepts: isWanted };
      waiting.push(waiter);
    });
    const missing = (): string => {
      const others = (this.#messages.get(topic) ?? []) as T[];
      const shown = others
        .slice(-SHOWN_MESSAGES)
        .map((message) => JSON.stringify(show(message)).slice(0, SHOWN_LENGTH));
      return (
        `a message of ${topic} that ${String(accepts)} accepts; ${others.length} others came` +
        `${['', ...shown].join('\n  ')}\n${this.#nodeLogs()}`
      );
    };
    try {
      return await withDeadline(come, missing, limitMs);
    } finally {
      const index = waiting.indexOf(waiter);
      if (index >= 0) waiting.splice(index, 1);
    }
  }

  #onLine(line: Line): void {
    if ('topic' in line) {
      this.#onMessage(line.topic, line.message);
    } else if ('error' in line) this.#replies.shift()!.reject(new Error(line.error));
    else this.#replies.shift()!.resolve(line.reply);
  }

  #onMessage(topic: string, message: unknown): void {
    const waiters = this.#waiting.get(topic) ?? [];
    const index = waiters.findIndex(({ accepts }) => accepts(message));
    if (index >= 0) waiters.splice(index, 1)[0]!.resolve(message);
    else this.#messages.set(topic, [...(this.#messages.get(topic) ?? []), message]);
  }

  #onExit(error: Error): void {
    this.#ended = error;
    for (const waiter of [...this.#replies, ...[...this.#waiting.values()].flat()]) waiter.reject(error);
  }
}

/** The bytes of a received array, long or short. */
export function arrayBytes(value: ArrayFile | readonly number[]): Buffer {
  return 'file' in value ? readFileSync(value.file) : Buffer.from(value);
}
