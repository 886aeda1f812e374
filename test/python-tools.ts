import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('../scripts/python-tools.mjs', import.meta.url));
const NOT_AVAILABLE = 3;

/**
 * Folder of the Python environment of scripts/python-tools.mjs; makes it at its first use on a machine. Skips the calling suite where it
 * cannot be had, and fails instead if CI is set.
 */
export function requirePythonTools(context: Mocha.Context): string {
  context.timeout(5 * 60_000);
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8' });
  if (status === 0) return stdout.trim();
  if (status === NOT_AVAILABLE && !process.env['CI']) {
    console.log(`      no Python tools here, tests are skipped: ${stderr}`);
    return context.skip();
  }
  throw new Error(`the Python tools are needed for these tests: ${stderr}`);
}
