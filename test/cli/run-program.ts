import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface ProgramEnd {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

/** Runs `bdc-occ` in a process of its own. */
export function runProgram(...args: readonly string[]): Promise<ProgramEnd> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', MAIN, ...args], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}
