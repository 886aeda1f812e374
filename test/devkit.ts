import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const repository = fileURLToPath(new URL('../', import.meta.url));
/** Exit code of devkit-env.sh without a Python for the devkit. */
const NO_PYTHON = 2;

/** Installs nuscenes-devkit where it isn't yet (minutes); skips the tests, with the reason, where no Python takes it. */
export async function needDevkit(context: Mocha.Context): Promise<void> {
  try {
    await run('scripts/devkit-env.sh', { cwd: repository });
  } catch (error) {
    const { code, stderr } = error as { readonly code: number; readonly stderr: string };
    if (code !== NO_PYTHON) throw error;
    console.log(`      skipped: ${stderr.trim()}`);
    context.skip();
  }
}

/** Runs a script of the tests (path from the repository's root) with the devkit's Python; its standard output. */
export async function runWithDevkit(script: string, ...args: readonly string[]): Promise<string> {
  const python = join(repository, '.venv-devkit/bin/python');
  const { stdout } = await run(python, [join(repository, script), ...args], { maxBuffer: 1 << 26 });
  return stdout;
}
