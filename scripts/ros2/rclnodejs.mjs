import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { output, run } from './step.mjs';

const manifest = fileURLToPath(new URL('./node', import.meta.url));
const project = fileURLToPath(new URL('../..', import.meta.url));

/** Whether the project's own node_modules hold rclnodejs, built. */
export function projectHasRclnodejs() {
  try {
    createRequire(path.join(project, 'package.json')).resolve('rclnodejs');
    return true;
  } catch {
    return false;
  }
}

/** Where node-gyp finds Node's headers without a download, or undefined: it then gets them from nodejs.org. */
export function nodeHeaders() {
  const configured = process.env.npm_config_nodedir ?? output('npm', ['config', 'get', 'nodedir']);
  const beside = path.dirname(path.dirname(process.execPath));
  return [configured, beside].find(
    (folder) => folder && existsSync(path.join(folder, 'include', 'node', 'node.h')),
  );
}

/**
 * Installs rclnodejs into `folder`: builds its addon against the ROS 2 of `env` and generates JavaScript for every message package in it.
 * npm says "installed" even where the build failed, so its two products are looked for.
 */
export function installRclnodejs(folder, env, log) {
  mkdirSync(folder, { recursive: true });
  for (const file of ['package.json', 'package-lock.json']) {
    copyFileSync(path.join(manifest, file), path.join(folder, file));
  }
  const headers = nodeHeaders();
  const npmEnv = { ...env, npm_config_yes: 'true', ...(headers ? { npm_config_nodedir: headers } : {}) };
  run('npm', ['ci', '--foreground-scripts', '--no-audit', '--no-fund'], { cwd: folder, env: npmEnv, log });
  const installed = path.join(folder, 'node_modules', 'rclnodejs');
  const wanted = ['build/Release/rclnodejs.node', 'generated/sensor_msgs', 'generated/vision_msgs'];
  const missing = wanted.filter((file) => !existsSync(path.join(installed, file)));
  if (missing.length > 0) {
    const hint = headers ? '' : ' Node headers were not found on this machine and may be what is missing.';
    throw new Error(`rclnodejs was installed without ${missing.join(', ')}.${hint} See ${log}`);
  }
}
