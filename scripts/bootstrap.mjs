/**
 * Makes a checkout ready to run: names missing tools, installs the npm packages when the lock file changed, builds the native addon and
 * the TypeScript. Uses only what Node brings, because it runs before node_modules exists. Called by `npm test`, `npm run demo`, …
 * With --bench also installs the packages of bench/, which only tests and benchmarks need.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const environment = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' };

/** Tools a build needs, how to see that one is there, and what installs it on Debian and Ubuntu. */
const tools = [
  { name: 'CMake 3.22 or later', command: ['cmake', '--version'], install: 'sudo apt-get install cmake' },
  {
    name: 'a C++20 compiler',
    command: [process.env.CXX ?? 'c++', '--version'],
    install: 'sudo apt-get install g++',
  },
  {
    name: 'Make or Ninja',
    command: ['make', '--version'],
    alternative: ['ninja', '--version'],
    install: 'sudo apt-get install make',
  },
  { name: 'Python 3', command: ['python3', '--version'], install: 'sudo apt-get install python3' },
];

function works([program, ...args]) {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}

function checkTools() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const missing = tools.filter(
    ({ command, alternative }) => !works(command) && !(alternative && works(alternative)),
  );
  const lines = missing.map(({ name, install }) => `  ${name}: not found; install it with: ${install}`);
  if (major < 20 || (major === 20 && minor < 19)) {
    lines.unshift(
      `  Node.js 20.19 or later: found ${process.versions.node}; install it from your distribution or nvm`,
    );
  }
  if (lines.length > 0) {
    console.error(`bdc_occ cannot be built here yet:\n${lines.join('\n')}`);
    process.exit(1);
  }
}

function run(title, program, args) {
  console.error(`[bdc_occ] ${title}`);
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd: root,
    env: environment,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status !== 0) {
    console.error(stdout, stderr);
    console.error(`[bdc_occ] ${title} failed: ${program} ${args.join(' ')}`);
    process.exit(1);
  }
}

/** Installs when the lock file is not the one that the folder's node_modules was installed from. */
function installPackages(folder) {
  const stamp = join(folder, 'node_modules', '.bdc-occ-installed');
  const wanted = createHash('sha256')
    .update(readFileSync(join(folder, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  run('installing npm packages', 'npm', ['ci', '--no-audit', '--no-fund', '--prefix', folder]);
  mkdirSync(join(folder, 'node_modules'), { recursive: true });
  writeFileSync(stamp, wanted);
}

checkTools();
installPackages(root);
if (process.argv.includes('--bench')) installPackages(join(root, 'bench'));
run('building the native engine', 'npm', ['run', '--silent', 'build:native']);
run('building the TypeScript', 'npm', ['run', '--silent', 'build:ts']);
