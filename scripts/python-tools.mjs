#!/usr/bin/env node
/**
 * Prints the folder of a Python environment with what scripts/python-tools/requirements.txt lists; made once, in
 * ${XDG_CACHE_HOME:-~/.cache}/bdc_occ. Exit code 3: it cannot be had on this machine.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { NOT_AVAILABLE } from './ros2/environment.mjs';
import { NotAvailable } from './ros2/not-available.mjs';
import { cacheRoot } from './ros2/private.mjs';
import { findPython } from './ros2/python.mjs';
import { run } from './ros2/step.mjs';

const requirements = fileURLToPath(new URL('python-tools/requirements.txt', import.meta.url));
const command = fileURLToPath(import.meta.url);

function describe() {
  const { executable, version } = findPython();
  const key = createHash('sha256')
    .update([executable, version, readFileSync(requirements)].join('\0'))
    .digest('hex')
    .slice(0, 16);
  const folder = path.join(cacheRoot(), `python-tools-${key}`);
  return { folder, executable, isComplete: existsSync(path.join(folder, 'complete')) };
}

function build({ folder, executable }) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const log = path.join(folder, 'build.log');
  run(executable, ['-m', 'venv', folder], { log });
  const pip = path.join(folder, 'bin', 'pip');
  run(pip, ['install', '--disable-pip-version-check', '-r', requirements], { log });
  writeFileSync(path.join(folder, 'complete'), `${new Date().toISOString()}\n`);
}

try {
  const tools = describe();
  if (process.argv[2] === '--build') {
    if (!tools.isComplete) build(tools);
  } else {
    if (!tools.isComplete) {
      mkdirSync(cacheRoot(), { recursive: true });
      // two builders of one folder take turns
      const args = [`${tools.folder}.lock`, process.execPath, command, '--build'];
      const { status } = spawnSync('flock', args, { stdio: ['ignore', 2, 2] });
      if (status !== 0)
        throw new Error(`the Python tools could not be installed (exit ${status}), see above`);
    }
    console.log(tools.folder);
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = error instanceof NotAvailable ? NOT_AVAILABLE : 1;
}
