import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { NotAvailable } from './not-available.mjs';
import { buildPrivate, cacheRoot, describePrivate, privateEnvironment } from './private.mjs';
import { installRclnodejs } from './rclnodejs.mjs';
import { describeSourced } from './sourced.mjs';

const command = fileURLToPath(new URL('../ros2-environment.mjs', import.meta.url));

/**
 * The environment in which a ROS 2 graph works here, built first where that is needed.
 * @returns {{kind: 'sourced' | 'private', folder: string | undefined, python: string, env: Record<string, string>}}
 */
export function ros2Environment() {
  const sourced = describeSourced();
  const found = sourced ?? describePrivate();
  if (!found.complete) buildUnderLock(found.folder);
  if (sourced === undefined) {
    const python = path.join(found.folder, 'bin', 'python');
    return { kind: 'private', folder: found.folder, python, env: privateEnvironment(found.folder) };
  }
  const modules = found.folder && path.join(found.folder, 'node_modules');
  const env = modules ? { NODE_PATH: [modules, process.env.NODE_PATH].filter(Boolean).join(':') } : {};
  return { kind: 'sourced', folder: found.folder, python: found.python, env };
}

/** Two builders of one folder take turns; flock(1) lets go also when a builder is killed. */
function buildUnderLock(folder) {
  mkdirSync(cacheRoot(), { recursive: true });
  const { status, error } = spawnSync('flock', [`${folder}.lock`, process.execPath, command, '--build'], {
    stdio: ['ignore', 2, 2],
  });
  if (error) throw new NotAvailable(`flock cannot be run (${error.message}): apt install util-linux`);
  if (status === NOT_AVAILABLE) throw new NotAvailable('ROS 2 is not available here, see above');
  if (status !== 0) throw new Error(`the ROS 2 environment could not be built, see above (exit ${status})`);
}

export const NOT_AVAILABLE = 3;

/** What `--build` does: the work itself, for whoever holds the lock. */
export function build(progress) {
  const sourced = describeSourced();
  const found = sourced ?? describePrivate();
  if (found.complete) return;
  if (sourced === undefined) {
    buildPrivate(found, progress);
    return;
  }
  progress(`Building rclnodejs for the sourced ROS 2 ${process.env.ROS_DISTRO} in ${found.folder} (once)`);
  if (existsSync(found.folder)) rmSync(found.folder, { recursive: true });
  mkdirSync(found.folder, { recursive: true });
  installRclnodejs(found.folder, process.env, path.join(found.folder, 'build.log'));
  writeFileSync(path.join(found.folder, 'complete'), `${new Date().toISOString()}\n`);
}
