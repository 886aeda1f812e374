import { BdcError } from '../errors.js';
import { loadRclnodejs } from './rclnodejs.js';
import type { LoadedRclnodejs } from './rclnodejs.js';
import type { Context } from './rclnodejs-types.js';

export interface RosContext extends LoadedRclnodejs {
  readonly context: Context;
}

/**
 * Initialises ROS 2 in this process.
 * @param args `--ros-args …`, as ROS 2 starts nodes
 * @throws BdcError `environment` without a usable ROS 2; `ROS_ARGUMENTS` for arguments that ROS 2 refuses or that are not for it
 */
export async function initialiseRos(name: string, args: readonly string[]): Promise<RosContext> {
  const loaded = loadRclnodejs();
  const { rclnodejs } = loaded;
  const context = rclnodejs.Context.defaultContext();
  const argv = [name, ...args];
  try {
    await rclnodejs.init(context, argv);
  } catch (cause) {
    const { message } = cause as Error;
    const hint = /logging directory/.test(message)
      ? '; set HOME or ROS_LOG_DIR to a folder that can be written'
      : '';
    throw badArguments(`ROS 2 refused to start: ${message}${hint}`, cause);
  }
  const [, ...unknown] = rclnodejs.removeROSArgs(argv);
  if (unknown.length === 0) return { ...loaded, context };
  rclnodejs.shutdown();
  throw badArguments(`expected only ROS arguments (--ros-args …), found ${unknown.join(' ')}`);
}

const badArguments = (message: string, cause?: unknown): BdcError =>
  new BdcError('configuration', { code: 'ROS_ARGUMENTS', message, cause });
