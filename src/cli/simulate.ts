import { SingleBar } from 'cli-progress';
import { Command, InvalidArgumentError, Option } from 'commander';
import { exportNuscenes } from '../simulation/nuscenes-export.js';
import type { ImageSize } from '../simulation/rig.js';

interface Options {
  readonly format: 'nuscenes';
  readonly scenes: number;
  readonly seed: number;
  readonly samplesPerScene: number;
  readonly imageSize?: ImageSize;
  readonly samplesPerPixel: number;
  readonly json: boolean;
}

/** `bdc-occ simulate`. */
export function simulateCommand(): Command {
  return new Command('simulate')
    .description(
      'Simulates street scenes with six cameras, a lidar and ground truth; equal seeds give equal bytes',
    )
    .argument('<out>', 'folder to write')
    .addOption(new Option('--format <format>', 'what to write').choices(['nuscenes']).default('nuscenes'))
    .option('--scenes <n>', 'number of scenes', wholeNumber(1), 10)
    .option('--seed <s>', 'which worlds; no two seeds share a scene', wholeNumber(0), 1)
    .option('--samples-per-scene <n>', 'key frames per scene, 0.5 s apart', wholeNumber(1), 1)
    .option('--image-size <WxH>', 'pixels (default 352x128)', imageSize)
    .option('--samples-per-pixel <n>', 'rays per pixel', wholeNumber(1), 2)
    .option('--json', 'print one JSON object', false)
    .action((out: string, options: Options) => simulateNuscenes(out, options));
}

async function simulateNuscenes(out: string, options: Options): Promise<void> {
  const size = options.imageSize ?? { width: 352, height: 128 };
  const { scenes, json } = options;
  if (!json) {
    const megabytes = scenes * options.samplesPerScene * sampleMegabytes(size);
    console.log(`${scenes} scenes of seed ${options.seed} to ${out}, about ${megabytes.toFixed(0)} MB`);
  }
  const bar =
    process.stderr.isTTY && !json
      ? new SingleBar({
          format: '{bar} {value}/{total} scenes, {eta_formatted} left',
          stream: process.stderr,
        })
      : undefined;
  bar?.start(scenes, 0);
  const result = await exportNuscenes({
    ...options,
    out,
    imageSize: size,
    onProgress: (n) => bar?.update(n),
  });
  bar?.stop();
  const rate = result.written / result.seconds;
  if (json) {
    console.log(JSON.stringify({ out, ...result, scenes_per_second: rate }));
  } else {
    const megabytes = result.bytes / 1e6;
    console.log(
      `${result.written} scenes written (${result.skipped} were there), ${megabytes.toFixed(1)} MB, ${rate.toFixed(2)} scenes/s`,
    );
  }
}

/** Measured: labels and lidar 0.7 MB, JPEGs 0.4 bytes a pixel. */
function sampleMegabytes({ width, height }: ImageSize): number {
  return 0.7 + (6 * width * height * 0.4) / 1e6;
}

function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < least || value > 0xffff_ffff) {
      throw new InvalidArgumentError(`expected a whole number from ${least} to 4294967295, found "${text}"`);
    }
    return value;
  };
}

function imageSize(text: string): ImageSize {
  const match = /^(\d+)x(\d+)$/.exec(text);
  const [width, height] = [Number(match?.[1]), Number(match?.[2])];
  if (!(width >= 16 && width <= 8192 && height >= 16 && height <= 8192)) {
    throw new InvalidArgumentError(`expected WxH with sides from 16 to 8192 pixels, found "${text}"`);
  }
  return { width, height };
}
