import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

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

/** Drives test/ros/peer.py, a rclpy process. */
export class Peer {
  readonly #child: ChildProcess;
  readonly #replies: Waiter<unknown>[] = [];
  readonly #messages = new Map<string, unknown[]>();
  readonly #waiting = new Map<string, MessageWaiter[]>();
  #errors = '';
  #ended: Error | undefined;

  constructor(child: ChildProcess) {
    this.#child = child;
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
    await ended;
  }

  request(request: object): Promise<unknown> {
    if (this.#ended) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      this.#replies.push({ resolve, reject });
      this.#child.stdin!.write(`${JSON.stringify(request)}\n`);
    });
  }

  /** The first message of a subscribed topic that is accepted and was not given out before. */
  next<T>(topic: string, accepts: (message: T) => boolean = () => true): Promise<T> {
    const isWanted = accepts as (message: unknown) => boolean;
    const messages = this.#messages.get(topic) ?? [];
    const found = messages.findIndex(isWanted);
    if (found >= 0) return Promise.resolve(messages.splice(found, 1)[0] as T);
    if (this.#ended) return Promise.reject(this.#ended);
    return new Promise<T>((resolve, reject) => {
      const waiter = { resolve: resolve as (value: unknown) => void, reject, accepts: isWanted };
      this.#waiting.set(topic, [...(this.#waiting.get(topic) ?? []), waiter]);
    });
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
