import { guardExecute } from './guarded-execute.js';
import type { PlainNode, PlainNodes } from './plain-node.js';
import type { Node, Rclnodejs } from './rclnodejs-types.js';
import { initialiseRos } from './ros-context.js';

/** A node on the graph, and what belongs to it. */
export interface RosSession {
  readonly rclnodejs: Rclnodejs;
  readonly node: PlainNode;
  /** Aborted by SIGINT and SIGTERM, with the signal's name. */
  readonly stop: AbortSignal;
}

/**
 * Joins the graph as a node that spins while `work` runs, and leaves it in order, also where a signal ends the work.
 * @param args `--ros-args …`, as ROS 2 starts nodes
 * @throws BdcError `environment` without a usable ROS 2, `ROS_ARGUMENTS`; what `work` throws
 */
export async function withNode(
  name: string,
  args: readonly string[],
  work: (session: RosSession) => Promise<void>,
): Promise<void> {
  const { rclnodejs } = await initialiseRos(name, args);
  try {
    const stop = new AbortController();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort(signal));
    const node = new (rclnodejs as unknown as PlainNodes).Node(name);
    guardExecute(node as unknown as Node, {
      onError: (error) =>
        node.getLogger().error(`a callback failed: ${(error as Error).stack ?? String(error)}`),
    });
    node.spin();
    try {
      await work({ rclnodejs, node, stop: stop.signal });
    } catch (error) {
      if (!stop.signal.aborted) throw error;
      node.getLogger().info(`${String(stop.signal.reason)}: shutting down`);
    }
  } finally {
    rclnodejs.shutdown();
  }
}
