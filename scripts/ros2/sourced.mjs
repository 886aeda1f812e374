import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { NotAvailable } from './not-available.mjs';
import { cacheRoot } from './private.mjs';
import { projectHasRclnodejs } from './rclnodejs.mjs';
import { output } from './step.mjs';

/**
 * The ROS 2 of the shell, or undefined if none is sourced. A sourced one that lacks what the node or its tests need is an error: using
 * another one silently would test something else than what runs on this machine.
 */
export function describeSourced() {
  const { AMENT_PREFIX_PATH, ROS_DISTRO } = process.env;
  if (!AMENT_PREFIX_PATH || !ROS_DISTRO) return undefined;
  // the private one, in a shell that took over its environment
  if (AMENT_PREFIX_PATH.startsWith(path.join(cacheRoot(), 'ros2-'))) return undefined;
  const prefixes = AMENT_PREFIX_PATH.split(':').filter(Boolean);
  const has = (file) => prefixes.some((prefix) => existsSync(path.join(prefix, file)));
  if (!has('lib/librcl.so')) {
    throw new NotAvailable(
      `AMENT_PREFIX_PATH is set but holds no lib/librcl.so: ${AMENT_PREFIX_PATH}. Source /opt/ros/<distro>/setup.bash again, ` +
        'or unset AMENT_PREFIX_PATH and ROS_DISTRO for a private ROS 2',
    );
  }
  for (const name of ['vision_msgs', 'tf2_msgs', 'visualization_msgs', 'nav_msgs', 'sensor_msgs']) {
    if (!has(`share/${name}/package.xml`)) {
      throw new NotAvailable(
        `the sourced ROS 2 ${ROS_DISTRO} lacks ${name}: apt install ros-${ROS_DISTRO}-${name.replaceAll('_', '-')}`,
      );
    }
  }
  if (output('python3', ['-c', 'import rclpy']) === undefined) {
    throw new NotAvailable(`python3 of this shell cannot import rclpy of the sourced ROS 2 ${ROS_DISTRO}`);
  }
  if (projectHasRclnodejs()) return { folder: undefined, python: 'python3', complete: true };
  const key = createHash('sha256')
    .update([AMENT_PREFIX_PATH, ROS_DISTRO, process.version].join('\0'))
    .digest('hex')
    .slice(0, 16);
  const folder = path.join(cacheRoot(), `rclnodejs-${ROS_DISTRO}-${key}`);
  return { folder, python: 'python3', complete: existsSync(path.join(folder, 'complete')) };
}
