import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { BdcError } from '../errors.js';
import type { RclAddon, Rclnodejs } from './rclnodejs-types.js';

/** Private behaviour of this very version is relied upon (see the comments where), so another one is refused. */
const VERSION = '2.2.0';
/** Besides those that every ROS 2 installation brings. */
const MESSAGE_PACKAGES = ['vision_msgs', 'tf2_msgs', 'visualization_msgs', 'nav_msgs', 'sensor_msgs'];

export interface LoadedRclnodejs {
  readonly rclnodejs: Rclnodejs;
  readonly addon: RclAddon;
}

let loaded: LoadedRclnodejs | undefined;

/**
 * The ROS client library. What is missing is found out before the package is touched: imported in a shell without ROS 2 it starts to
 * rebuild itself, and the first act of that is to delete its build.
 *
 * @throws BdcError of kind `environment` that says what to source or install
 */
export function loadRclnodejs(): LoadedRclnodejs {
  if (loaded === undefined) {
    checkRos(process.env);
    const require = createRequire(import.meta.url);
    const addon = loadAddon(packageFolder(require), require, process.env);
    const listeners = process.listeners('SIGINT');
    // import and require give two separate instances of it: everything goes through this one
    loaded = { rclnodejs: require('rclnodejs') as Rclnodejs, addon };
    // its own would take the context away before anything could end in order
    for (const listener of process.listeners('SIGINT')) {
      if (!listeners.includes(listener)) process.off('SIGINT', listener);
    }
  }
  return loaded;
}

const missing = (code: string, message: string, cause?: unknown): BdcError =>
  new BdcError('environment', { code, message, cause });

const SOURCE_IT =
  'run "source /opt/ros/jazzy/setup.bash", or without a ROS installation ' +
  '"eval "$(node scripts/ros2-environment.mjs --print-env)"", then start again';

/** @throws BdcError `ROS_NOT_SOURCED` or `ROS_PACKAGE_MISSING` */
function checkRos(env: NodeJS.ProcessEnv): void {
  const { ROS_DISTRO, AMENT_PREFIX_PATH } = env;
  if (!ROS_DISTRO || !AMENT_PREFIX_PATH) {
    throw missing(
      'ROS_NOT_SOURCED',
      `expected a sourced ROS 2, found no ROS_DISTRO or AMENT_PREFIX_PATH; ${SOURCE_IT}`,
    );
  }
  const prefixes = AMENT_PREFIX_PATH.split(':').filter((prefix) => prefix !== '');
  const isThere = (file: string): boolean => prefixes.some((prefix) => existsSync(path.join(prefix, file)));
  if (!isThere('lib/librcl.so')) {
    throw missing(
      'ROS_NOT_SOURCED',
      `expected lib/librcl.so under AMENT_PREFIX_PATH, found none in ${AMENT_PREFIX_PATH}; ${SOURCE_IT}`,
    );
  }
  for (const name of MESSAGE_PACKAGES) {
    if (isThere(`share/${name}/package.xml`)) continue;
    const aptName = `ros-${ROS_DISTRO}-${name.replaceAll('_', '-')}`;
    throw missing(
      'ROS_PACKAGE_MISSING',
      `expected the message package ${name} in ROS 2 ${ROS_DISTRO}, found none; apt install ${aptName}, then "npm rebuild rclnodejs"`,
    );
  }
}

function packageFolder(require: NodeJS.Require): string {
  let file: string;
  try {
    file = require.resolve('rclnodejs/package.json');
  } catch (cause) {
    throw missing(
      'RCLNODEJS_MISSING',
      `the npm package rclnodejs is not installed; in a shell with ROS 2 sourced: npm install --no-save rclnodejs@${VERSION}`,
      cause,
    );
  }
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  if (version !== VERSION) {
    throw missing(
      'RCLNODEJS_VERSION',
      `expected rclnodejs ${VERSION}, found ${version} in ${path.dirname(file)}; npm install --no-save rclnodejs@${VERSION}`,
    );
  }
  return path.dirname(file);
}

/** Loads the addon itself first: the package takes any failure of that as a reason to rebuild. */
function loadAddon(folder: string, require: NodeJS.Require, env: NodeJS.ProcessEnv): RclAddon {
  const addon = [
    path.join(folder, prebuiltAddon(env)),
    path.join(folder, 'build/Release/rclnodejs.node'),
  ].find((file) => existsSync(file));
  const rebuild = 'in a shell with ROS 2 sourced run "npm rebuild rclnodejs"';
  if (addon === undefined) {
    throw missing(
      'RCLNODEJS_NOT_BUILT',
      `rclnodejs in ${folder} has no built addon for ROS 2 ${env['ROS_DISTRO']}; ${rebuild}`,
    );
  }
  try {
    return require(addon) as RclAddon;
  } catch (cause) {
    throw missing(
      'RCLNODEJS_BROKEN',
      `the addon of rclnodejs cannot be loaded (${(cause as Error).message}); it belongs to another ROS 2 than the sourced one, or ` +
        `LD_LIBRARY_PATH lacks that one's lib folder: source it again, else ${rebuild}`,
      cause,
    );
  }
}

/** Name of the addon that the package brings for an Ubuntu release, as its own loader makes it. */
function prebuiltAddon(env: NodeJS.ProcessEnv): string {
  const osRelease = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  const codename = /^UBUNTU_CODENAME=(.+)$/m.exec(osRelease)?.[1] ?? 'none';
  const target = `${env['ROS_DISTRO']}-${codename}-${process.arch}-node-rclnodejs.node`;
  return path.join('prebuilds', `linux-${process.arch}`, target);
}
