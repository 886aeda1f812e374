import type { Node } from './rclnodejs-types.js';

/**
 * Makes a node survive exceptions in what the executor calls: subscriptions, timers, and services of rclnodejs itself (setting an
 * integer array, for one, throws in there). Uncaught they would end the process without any shutdown, and anybody on the graph could
 * provoke that.
 */
export function guardExecute(node: Node, onError: (error: unknown) => void): void {
  const execute = node.execute.bind(node);
  node.execute = (handles) => {
    try {
      execute(handles);
    } catch (error) {
      onError(error);
    }
  };
}
