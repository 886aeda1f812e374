import type { Node } from './rclnodejs-types.js';

/** A raw image of 4 MB takes one to two milliseconds: the event loop is kept no longer than this and one message. */
const BUDGET_MS = 4;

export interface ExecuteOptions {
  /** Called with what a callback threw. */
  readonly onError: (error: unknown) => void;
  readonly nowMs?: () => number;
}

/**
 * Makes a node survive exceptions in what the executor calls: subscriptions, timers, and services of rclnodejs itself (setting an
 * integer array, for one, throws in there). Uncaught they would end the process without any shutdown, and anybody on the graph could
 * provoke that.
 *
 * Also bounds how long the event loop is kept: the executor hands over everything that is ready, which for six cameras is 26 MB of raw
 * images to copy. Messages that find the time spent are left where they are; the executor's next round has them again, and they come first.
 */
export function guardExecute(node: Node, { onError, nowMs = () => performance.now() }: ExecuteOptions): void {
  const execute = node.execute.bind(node);
  let left: ReadonlySet<unknown> = new Set();
  node.execute = (handles) => {
    const end = nowMs() + BUDGET_MS;
    const mayWait = new Set<unknown>(node._subscriptions.map(({ handle }) => handle));
    const later = new Set<unknown>();
    for (const handle of [...handles].sort((a, b) => Number(left.has(b)) - Number(left.has(a)))) {
      // a guard condition, for one, is told of once only
      if (mayWait.has(handle) && nowMs() >= end) {
        later.add(handle);
        continue;
      }
      try {
        execute([handle]);
      } catch (error) {
        onError(error);
      }
    }
    left = later;
  };
}
