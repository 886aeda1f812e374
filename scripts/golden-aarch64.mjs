/** Runs the golden fixtures, test/engine/golden.test.ts, on 64-bit ARM: in an arm64 Node under qemu, on a CPU that has the dot product instructions. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { SYSROOT, buildAddon, fetchNode, layOut, requireTools, root } from './aarch64-node.ts';

requireTools();
const tree = layOut(buildAddon(), join('test', 'engine', 'golden.test.ts'));
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
