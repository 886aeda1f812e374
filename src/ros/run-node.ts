import { BdcError } from '../errors.js';
import { guardExecute } from './guarded-execute.js';
import { declareNodeParameters } from './node-settings.js';
import type { NodeSettings } from './node-settings.js';
import { OccupancyNode } from './occupancy-node.js';
import { overridesFor } from './parameter-overrides.js';
import { ParameterServer } from './parameter-server.js';
import { qosProfiles } from './quality-of-service.js';
import { loadRclnodejs } from './rclnodejs.js';
import type { Context, Rclnodejs } from './rclnodejs-types.js';

const NODE_NAME = 'bdc_occ';
/** After this the process ends whatever still runs. */
const SHUTDOWN_LIMIT_MS = 2000;

/**
 * Runs the node until SIGINT or SIGTERM.
 *
 * @param args `--ros-args …`, as ROS 2 starts nodes
 * @throws BdcError `environment` without a usable ROS 2, `configuration` for arguments and parameters, `model` for the model file
 */
export async function runNode(args: readonly string[]): Promise<void> {
  const { rclnodejs, addon } = loadRclnodejs();
  const context = rclnodejs.Context.defaultContext();
  await initialise(rclnodejs, context, args);
  try {
    const stopped = nextSignal();
    const node = new rclnodejs.Node(NODE_NAME);
    const logger = node.getLogger();
    guardExecute(node, (error) =>
      logger.error(`a callback failed: ${(error as Error).stack ?? String(error)}`),
    );
    const overrides = overridesFor(
      node.getFullyQualifiedName(),
      addon.getParameterOverrides(context.handle) ?? [],
    );
    const parameters = new ParameterServer(node, rclnodejs, overrides);
    const settings: NodeSettings = declareNodeParameters(parameters);
    for (const name of parameters.undeclaredOverrides())
      logger.warn(`parameter ${name} is not one of this node and is ignored`);
    const occupancy = await OccupancyNode.start({ node, qos: qosProfiles(rclnodejs), parameters, settings });
    node.spin();
    logger.info(`${await stopped}: shutting down`);
    setTimeout(() => process.exit(1), SHUTDOWN_LIMIT_MS).unref();
    await occupancy.close();
  } finally {
    rclnodejs.shutdown();
  }
}

async function initialise(rclnodejs: Rclnodejs, context: Context, args: readonly string[]): Promise<void> {
  const argv = [NODE_NAME, ...args];
  try {
    await rclnodejs.init(context, argv);
  } catch (cause) {
    throw new BdcError('configuration', {
      code: 'ROS_ARGUMENTS',
      message: `ROS 2 refused to start: ${(cause as Error).message}`,
      cause,
    });
  }
  const [, ...unknown] = rclnodejs.removeROSArgs(argv);
  if (unknown.length === 0) return;
  rclnodejs.shutdown();
  throw new BdcError('configuration', {
    code: 'ROS_ARGUMENTS',
    message: `expected only ROS arguments (--ros-args …), found ${unknown.join(' ')}`,
  });
}

/** The first signal that asks the process to end; a second one ends it at once. */
function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
}
