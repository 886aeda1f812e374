import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseCoreList } from '../engine/core-list.js';
import { ISAS } from '../engine/types.js';
import { VIRTUAL_CAMERA_MODES } from '../perception/network-views.js';
import type { PipelineOptions } from '../perception/perception-pipeline.js';

/** Exit code where results miss a threshold. */
export const THRESHOLD_MISSED = 1;

/** For options that count something: a whole number above 0. */
export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new InvalidArgumentError('expected a whole number above 0.');
  }
  return value;
}

/** A whole number within limits, both included. */
export function wholeNumber(least: number, most = 0xffff_ffff): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^-?\d+$/.test(text) || value < least || value > most) {
      throw new InvalidArgumentError(`expected a whole number from ${least} to ${most}, found "${text}"`);
    }
    return value;
  };
}

/** For lists of names. */
export const commaSeparated = (text: string): readonly string[] =>
  text.split(',').filter((name) => name !== '');

/** For options that measure something: any finite number. */
export function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('expected a number.');
  return value;
}

/** A number above 0. */
export function positiveNumber(text: string): number {
  const value = number(text);
  if (value <= 0) throw new InvalidArgumentError('expected a number above 0.');
  return value;
}

/** A number above 0 and no more than a limit. */
export function positiveUpTo(most: number): (text: string) => number {
  return (text) => {
    const value = positiveNumber(text);
    if (value > most) throw new InvalidArgumentError(`expected a number above 0 and at most ${most}.`);
    return value;
  };
}

/** Above 0 and below 1. */
export function score(text: string): number {
  const value = number(text);
  if (value <= 0 || value >= 1) throw new InvalidArgumentError('expected a number above 0 and below 1.');
  return value;
}

/** 0 or more. */
export function nonNegativeNumber(text: string): number {
  const value = number(text);
  if (value < 0) throw new InvalidArgumentError('expected a number of 0 or more.');
  return value;
}

export const modelOption = (): Option =>
  new Option('-m, --model <file>', 'model file (default: the one that comes with the program)');

/** How the pipeline makes images for the network; `addPipelineOptions` has them beside the engine's. */
export type ImageFlags = Required<Pick<PipelineOptions, 'virtualCameras' | 'jpegHalfScale'>>;

export function addPipelineOptions(command: Command): Command {
  return addEngineOptions(command)
    .addOption(
      new Option(
        '--virtual-cameras <mode>',
        'show the network the world as cameras like those that it was trained with see it; auto: where the rig looks otherwise',
      )
        .choices(VIRTUAL_CAMERA_MODES)
        .default('auto'),
    )
    .option(
      '--no-jpeg-half-scale',
      'decode large JPEGs as a whole instead of at half their size (docs/deployment.md)',
    );
}

export const threadsOption = (): Option =>
  new Option(
    '--threads <n>',
    'native threads that compute (default: one for each core of --affinity, else all cores)',
  ).argParser(positiveInteger);

/** How the engine computes: the options that `EngineFlags` (open-engine.ts) has beside the model. */
export function addEngineOptions(command: Command): Command {
  return command
    .addOption(threadsOption())
    .option(
      '--affinity <cores>',
      'cores that the threads are pinned to, in turn, such as 0,2-3 (default: one each if there is a thread for every core, else not pinned)',
      coreList,
    )
    .option('--nice <n>', 'nice value of the threads, -20 (first) to 19', wholeNumber(-20, 19))
    .option(
      '--realtime-priority <n>',
      'priority of the threads under SCHED_FIFO, 1 to 99 (first); --nice then means nothing',
      wholeNumber(1, 99),
    )
    .addOption(
      new Option(
        '--isa <isa>',
        'instruction set of the kernels (default: $BDC_ISA, else the best the CPU has)',
      ).choices(ISAS),
    );
}

function coreList(text: string): readonly number[] {
  try {
    return parseCoreList(text);
  } catch (error) {
    throw new InvalidArgumentError(`${(error as RangeError).message}.`);
  }
}

export const jsonOption = (): Option =>
  new Option('--json', 'print exactly one JSON object to standard output');
