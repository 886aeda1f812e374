import { Command } from 'commander';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { writeAtomically } from '../atomic-file.js';
import { readModelFile } from '../engine/model-file.js';
import { shippedModel } from '../engine/shipped-model.js';
import { VoxelGrid } from '../geometry/voxel-grid.js';
import { exportBag } from '../simulation/bag-export.js';
import { readRecordedTruth } from '../simulation/recorded-truth.js';
import { DemoComparison } from './demo-comparison.js';
import { printJson } from './json-output.js';
import { occupancyManifest } from './occupancy-manifest.js';
import { jsonOption, modelOption, threadsOption, wholeNumber } from './options.js';
import { formatReport } from './replay.js';
import { replayBag } from './replay-run.js';

interface DemoOptions {
  readonly out: string;
  readonly seed: number;
  readonly model?: string;
  readonly threads?: number;
  readonly json?: boolean;
}

/** Frames a second and seconds of the drive. */
const DRIVE = { rate: 2, duration: 10 };
const IMAGE_SIZE = { width: 704, height: 396 };
/** The simulator's voxels are 0.4 m. */
const TRUTH_VOXEL = 0.4;

/** `bdc-occ demo`: simulates a drive, replays it, shows what the network saw beside the truth. */
export function demoCommand(): Command {
  return new Command('demo')
    .description(
      'simulate a drive the network was not trained on, run the network on it, show picture and figures',
    )
    .option('-o, --out <folder>', 'folder for drive.mcap, result.mcap and picture.png', 'out/demo')
    .option(
      '--seed <s>',
      'which street; the shipped model has not learned from the default one',
      wholeNumber(0),
      20_260,
    )
    .addOption(modelOption())
    .addOption(threadsOption())
    .addOption(jsonOption())
    .action(async (options: DemoOptions) => {
      const report = await demo(options);
      if (options.json) printJson(report);
      else
        process.stdout.write(
          `${formatReport(report.replay)}\n${report.lines.join('\n')}\npicture    ${report.picture}\n`,
        );
    });
}

async function demo({ out, seed, model = shippedModel(), threads }: DemoOptions) {
  const manifest = occupancyManifest((await readModelFile(model)).manifest);
  const grid = new VoxelGrid(manifest.grid);
  const [drive, result, picture] = ['drive.mcap', 'result.mcap', 'picture.png'].map((name) =>
    join(out, name),
  ) as [string, string, string];
  await mkdir(out, { recursive: true });
  process.stderr.write(`simulating ${DRIVE.duration} s of driving …\n`);
  await exportBag({
    out: drive,
    seed,
    index: 0,
    ...DRIVE,
    imageSize: IMAGE_SIZE,
    samplesPerPixel: 2,
    voxelFactor: Math.round(grid.cellSize[0] / TRUTH_VOXEL),
  });
  const truth = await readRecordedTruth(drive, grid);
  const comparison = new DemoComparison(manifest, truth);
  const replay = await replayBag(
    drive,
    {
      out: result,
      model,
      baseFrame: 'base_link',
      maxSpread: 60,
      gridMinHeight: 0.2,
      gridMaxHeight: 2,
      compression: 'zstd',
      ...(threads !== undefined && { threads }),
    },
    ({ frame, rig }, found) => comparison.add(rig, frame, found),
  );
  await writeAtomically(picture, await comparison.picture(replay));
  return { replay, ...comparison.report(), picture };
}
