/**
 * Makes node_modules of an installed folder: what package-lock.json says, without what only tests need. Usage: node install-packages.mjs FOLDER.
 * Does nothing where that was done before with the same lock file, Node.js and ROS 2, so that a workspace is quickly built again.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { nodeHeaders } from './ros2/rclnodejs.mjs';

const folder = process.argv[2];
const { AMENT_PREFIX_PATH = '', ROS_DISTRO = '' } = process.env;
// the workspace's own prefix joins the path once it is sourced, and changes nothing here
const ros = AMENT_PREFIX_PATH.split(':').filter((prefix) => existsSync(path.join(prefix, 'lib/librcl.so')));
const wanted = createHash('sha256')
  .update(
    [readFileSync(path.join(folder, 'package-lock.json')), process.version, ROS_DISTRO, ...ros].join('\0'),
  )
  .digest('hex');
const stamp = path.join(folder, 'node_modules', '.bdc-occ-installed');

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
  const headers = nodeHeaders();
  const { status } = spawnSync('npm', ['ci', '--omit=dev', '--no-audit', '--no-fund'], {
    cwd: folder,
    stdio: 'inherit',
    // yes: rclnodejs's install script asks npx for a program
    env: { ...process.env, npm_config_yes: 'true', ...(headers && { npm_config_nodedir: headers }) },
  });
  if (status !== 0) process.exit(1);
  // optional to npm, which goes on where its build fails
  if (!existsSync(path.join(folder, 'node_modules/rclnodejs/generated/vision_msgs'))) {
    console.error(
      'rclnodejs was not built, or not for vision_msgs: source /opt/ros/jazzy/setup.bash, then build the workspace again',
    );
    process.exit(1);
  }
  writeFileSync(stamp, wanted);
}
