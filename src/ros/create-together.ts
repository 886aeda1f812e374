import type { Node } from './rclnodejs-types.js';

/**
 * Creates several subscriptions and the like on a node that spins. For each of them rclnodejs would keep the event loop until its executor's
 * thread ends its wait, which takes up to 10 ms; here it does so once.
 */
export function createTogether<Result>(node: Node, create: () => Result): Result {
  Object.defineProperty(node, 'syncHandles', { value: () => undefined, configurable: true });
  try {
    return create();
  } finally {
    // the method of the class is there again
    Reflect.deleteProperty(node, 'syncHandles');
    node.syncHandles();
  }
}
