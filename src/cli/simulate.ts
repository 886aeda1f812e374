import { SingleBar } from 'cli-progress';
import { Command, InvalidArgumentError, Option } from 'commander';
import { BdcError } from '../errors.js';
import { exportBag } from '../simulation/bag-export.js';
import { exportNuscenes, MOST_SAMPLES } from '../simulation/nuscenes-export.js';
import type { ImageSize } from '../simulation/rig.js';
import { RIG_NAMES } from '../simulation/rig-plans.js';
import type { RigName } from '../simulation/rig-plans.js';
import { printJson } from './json-output.js';
import { jsonOption, positiveUpTo, wholeNumber } from './options.js';

interface Options {
  readonly format: 'mcap' | 'nuscenes';
  readonly scenes: number;
  readonly seed: number;
  readonly rig: RigName;
  readonly samplesPerScene: number;
  readonly scene: number;
  readonly duration: number;
  readonly rate: number;
  readonly voxelFactor: number;
  readonly imageSize?: ImageSize;
  readonly samplesPerPixel: number;
  readonly json: boolean;
}

/** `bdc-occ simulate`. */
export function simulateCommand(): Command {
  return new Command('simulate')
    .description(
      'Simulates street scenes with cameras, a lidar and ground truth; equal seeds give equal bytes, no two seeds share a scene',
    )
    .argument('<out>', 'bag (.mcap) or folder (nuscenes) to write')
    .addOption(
      new Option('--format <format>', 'a drive as an MCAP bag, or a data set')
        .choices(['mcap', 'nuscenes'])
        .default('mcap'),
    )
    .option('--seed <s>', 'which worlds', wholeNumber(0), 1)
    .addOption(new Option('--rig <rig>', 'cameras and where they are').choices(RIG_NAMES).default('nuscenes'))
    .option('--image-size <WxH>', 'pixels (default: mcap 704x396, nuscenes 352x128)', imageSize)
    .option('--samples-per-pixel <n>', 'rays per pixel', wholeNumber(1, 64), 2)
    .option('--scenes <n>', 'nuscenes: number of scenes', wholeNumber(1), 10)
    .option(
      '--samples-per-scene <n>',
      `nuscenes: key frames per scene, 0.5 s apart (at most ${MOST_SAMPLES}: then the street ends)`,
      wholeNumber(1, MOST_SAMPLES),
      1,
    )
    .option('--scene <n>', 'mcap: which scene of the seed', wholeNumber(0), 0)
    .option('--duration <s>', 'mcap: seconds', positiveUpTo(3600), 10)
    .option('--rate <hz>', 'mcap: frames per second', positiveUpTo(3600), 5)
    .option('--voxel-factor <n>', 'mcap: ground-truth voxels of n × 0.4 m: 1, 2, 4 or 8', voxelFactor, 2)
    .addOption(jsonOption().default(false))
    .action((out: string, options: Options, command: Command) => {
      refuseOtherFormat(options, command);
      return options.format === 'mcap' ? simulateBag(out, options) : simulateDataset(out, options);
    });
}

const OF_ONE_FORMAT = {
  mcap: ['scene', 'duration', 'rate', 'voxelFactor'],
  nuscenes: ['scenes', 'samplesPerScene'],
} as const;

function refuseOtherFormat({ format }: Options, command: Command): void {
  const other = format === 'mcap' ? 'nuscenes' : 'mcap';
  const given = OF_ONE_FORMAT[other].find((name) => command.getOptionValueSource(name) === 'cli');
  if (given === undefined) return;
  const { long } = command.options.find((option) => option.attributeName() === given)!;
  throw new BdcError('configuration', {
    code: 'SIMULATE_OTHER_FORMAT',
    message: `expected ${long} with --format ${other} only, found it with ${format}; leave it out or set --format ${other}`,
  });
}

async function simulateBag(out: string, options: Options): Promise<void> {
  const frames = Math.max(1, Math.round(options.duration * options.rate));
  const bar = progressBar(frames, 'frames', options);
  const size = options.imageSize ?? { width: 704, height: 396 };
  const result = await exportBag({
    ...options,
    out,
    index: options.scene,
    imageSize: size,
    onProgress: (done) => bar?.update(done),
  });
  bar?.stop();
  if (options.json) {
    printJson({ out, format: 'mcap', ...result });
  } else {
    console.log(
      `${out}: ${result.frames} frames of scene ${options.scene}, seed ${options.seed}, made in ${result.seconds.toFixed(1)} s`,
    );
  }
}

async function simulateDataset(out: string, options: Options): Promise<void> {
  const size = options.imageSize ?? { width: 352, height: 128 };
  const { scenes, json } = options;
  let bar: SingleBar | undefined;
  const result = await exportNuscenes({
    ...options,
    out,
    imageSize: size,
    onPlan: (plan) => {
      if (!json) {
        console.log(
          `${plan.scenes} of ${scenes} scenes of seed ${options.seed} to write to ${out}: about ${megabytes(plan.bytes)} ` +
            `of ${megabytes(plan.freeBytes)} free`,
        );
      }
      bar = progressBar(scenes, 'scenes', options);
    },
    onProgress: (n) => bar?.update(n),
  });
  bar?.stop();
  const rate = result.written / result.seconds;
  if (json) {
    printJson({ out, format: 'nuscenes', ...result, scenes_per_second: rate });
  } else {
    console.log(
      `${result.written} scenes written (${result.skipped} were there), ${megabytes(result.bytes)}, ${rate.toFixed(2)} scenes/s`,
    );
  }
}

function progressBar(total: number, unit: string, { json }: Options): SingleBar | undefined {
  if (!process.stderr.isTTY || json) return undefined;
  const format = `{bar} {value}/{total} ${unit}, {eta_formatted} left`;
  const bar = new SingleBar({ format, stream: process.stderr, gracefulExit: false });
  bar.start(total, 0);
  return bar;
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

function voxelFactor(text: string): number {
  if (!['1', '2', '4', '8'].includes(text)) {
    throw new InvalidArgumentError(`expected 1, 2, 4 or 8, found "${text}"`);
  }
  return Number(text);
}

function imageSize(text: string): ImageSize {
  const match = /^(\d+)x(\d+)$/.exec(text);
  const [width, height] = [Number(match?.[1]), Number(match?.[2])];
  if (!(width >= 16 && width <= 8192 && height >= 16 && height <= 8192)) {
    throw new InvalidArgumentError(`expected WxH with sides from 16 to 8192 pixels, found "${text}"`);
  }
  return { width, height };
}
