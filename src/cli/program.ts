import { Command, CommanderError } from 'commander';
import { readFileSync } from 'node:fs';
import { BdcError } from '../errors.js';
import { accuracyReportCommand } from './accuracy-report.js';
import { demoCommand } from './demo.js';
import { evaluateCommand } from './evaluate.js';
import { frameCommand } from './frame.js';
import { inspectCommand } from './inspect.js';
import { nodeCommand } from './node.js';
import { playCommand } from './play.js';
import { profileCommand } from './profile.js';
import { replayCommand } from './replay.js';
import { replayRosCommand } from './replay-ros.js';
import { simulateCommand } from './simulate.js';

/** Each file of this folder that holds a command exports a factory; it is registered here. */
const commands: readonly (() => Command)[] = [
  // in the order of the help
  nodeCommand,
  playCommand,
  replayCommand,
  replayRosCommand,
  evaluateCommand,
  accuracyReportCommand,
  frameCommand,
  simulateCommand,
  inspectCommand,
  profileCommand,
  demoCommand,
];

const USAGE_OR_INPUT_ERROR = 2;
const UNEXPECTED_ERROR = 3;

function createProgram(): Command {
  const { version, description } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  ) as { version: string; description: string };
  const program = new Command('bdc-occ').description(description).version(version).exitOverride();
  program.showHelpAfterError('(--help lists the commands and options)');
  for (const create of commands) program.addCommand(create().copyInheritedSettings(program));
  return program;
}

/** Reports what ended the program; returns the exit code. */
function report(error: unknown): number {
  // commander has already printed its message, or the help that was asked for
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE_OR_INPUT_ERROR;
  if (error instanceof BdcError) {
    process.stderr.write(`error: ${error.message} [${error.code}]\n`);
    return USAGE_OR_INPUT_ERROR;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`unexpected error, please report it: ${text}\n`);
  return UNEXPECTED_ERROR;
}

/** Runs the command that the arguments name, and sets the exit code. */
export async function runProgram(): Promise<void> {
  // a reader that closes the pipe early (| head) is not an error
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  try {
    await createProgram().parseAsync();
  } catch (error) {
    process.exitCode = report(error);
  }
}
