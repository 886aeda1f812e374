import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';

/** Runs a program with its output appended to `log`; a failure throws with the log's last lines. */
export function run(command, args, { log, env = process.env, cwd }) {
  const out = openSync(log, 'a');
  const result = spawnSync(command, args, { cwd, env, stdio: ['ignore', out, out] });
  closeSync(out);
  if (result.status === 0) return;
  const why = result.error?.message ?? `exit ${result.status ?? result.signal}`;
  const tail = readFileSync(log, 'utf8').trimEnd().split('\n').slice(-25).join('\n');
  throw new Error(`${command} ${args.slice(0, 3).join(' ')} … failed (${why}); end of ${log}:\n${tail}`);
}

/** What a program prints, trimmed; undefined if it is absent or fails. */
export function output(command, args, options = {}) {
  const result = spawnSync(command, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    ...options,
  });
  return result.status === 0 ? result.stdout.trim() : undefined;
}
