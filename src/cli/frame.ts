import { Command } from 'commander';

import { readFrameFile } from '../dataset/frame-file.js';
import type { FrameFile } from '../dataset/frame-file.js';
import type { Engine } from '../engine/types.js';
import { RigidTransform } from '../geometry/rigid-transform.js';
import { FaultLog } from '../perception/fault-log.js';
import { PerceptionPipeline } from '../perception/perception-pipeline.js';
import type { RigView } from '../perception/rig-view.js';
import type { CameraFrame, PerceptionResult } from '../perception/types.js';
import { writeFrameOutput } from './frame-output.js';
import { printJson } from './json-output.js';
import { addPipelineOptions, jsonOption, modelOption, type ImageFlags } from './options.js';
import { openEngine, type EngineFlags } from './open-engine.js';

interface FrameOptions extends EngineFlags, ImageFlags {
  readonly out: string;
  readonly json?: boolean;
}

/** `bdc-occ frame FRAME.json --out DIR`: one set of images with its calibration through the whole pipeline. */
export function frameCommand(): Command {
  return addPipelineOptions(
    new Command('frame')
      .description('voxels, boxes and a picture of one set of camera images (docs/frame-file.md)')
      .argument('<frame>', 'JSON file that names the images and their calibration')
      .requiredOption(
        '-o, --out <folder>',
        'folder for picture.png, voxels.npz and boxes.json; made if it is not there',
      )
      .addOption(modelOption()),
  )
    .addOption(jsonOption())
    .action(async (path: string, options: FrameOptions) => {
      const report = await processFile(path, options);
      if (options.json) printJson(report);
      else process.stdout.write(`${formatReport(report)}\n`);
    });
}

type FrameReport = Awaited<ReturnType<typeof processFile>>;

async function processFile(path: string, { out, virtualCameras, jpegHalfScale, ...flags }: FrameOptions) {
  const file = await readFrameFile(path);
  const engine = await openEngine(flags);
  try {
    const faults = new FaultLog();
    const pipeline = new PerceptionPipeline({
      engine,
      virtualCameras,
      jpegHalfScale,
      onImageError: (camera, error) => faults.add(error, camera),
    });
    const result = await perceive(file, pipeline);
    const written = await writeFrameOutput(out, { file, engine, result });
    return reportOf(pipeline.view!, engine, result, faults, written);
  } finally {
    engine.dispose();
  }
}

/** Between the runs of a network that keeps history: that of nuScenes' key frames. */
const BEFORE_NS = 500_000_000n;

/**
 * Runs the frame twice: the first run fills caches and memory, the second is what a stream of frames costs. A network that keeps history
 * sees the same images half a second before, from a robot that stands.
 */
async function perceive(file: FrameFile, pipeline: PerceptionPipeline): Promise<PerceptionResult> {
  await pipeline.setRig(file.rig);
  const frame: CameraFrame = {
    ...file.frame,
    egoPose: { frameId: 'map', worldFromBase: RigidTransform.identity },
  };
  await pipeline.process({ ...frame, stamp: frame.stamp - BEFORE_NS });
  return pipeline.process(frame);
}

function reportOf(
  { rig, virtualCameras }: RigView,
  { manifest, isa, threads }: Engine,
  { liveCameras, occupancy, detections, history, timings }: PerceptionResult,
  faults: FaultLog,
  out: Readonly<Record<string, string>>,
) {
  const free = manifest.occupancy?.free;
  const isOccupied = (label: number, voxel: number): boolean =>
    label !== free && occupancy?.observed[voxel] === 1;
  return {
    model: manifest.name,
    isa,
    threads,
    cameras: {
      used: rig.cameras.filter((_, i) => liveCameras[i]).map(({ name }) => name),
      virtual: virtualCameras,
      faults: faults.counts.map(({ code, camera, message }) => ({ code, camera, message })),
    },
    latency_ms: timings,
    occupied_voxels: occupancy?.labels.filter(isOccupied).length,
    observed_voxels: occupancy?.observed.reduce((sum, seen) => sum + seen, 0),
    detections: detections?.length,
    history,
    out,
  };
}

function formatReport(report: FrameReport): string {
  const { model, isa, threads, cameras, latency_ms, occupied_voxels, observed_voxels, detections } = report;
  const { history, out } = report;
  const latencies: readonly (readonly [string, number])[] = [
    ['preprocess', latency_ms.preprocess],
    ...Object.entries(latency_ms.modules),
    ['decode', latency_ms.decode],
    ['total', latency_ms.total],
  ];
  return [
    `${model}, ${isa}, ${threads} threads, cameras: ${cameras.used.join(', ')}`,
    ...(cameras.virtual > 0
      ? [`seen through ${cameras.virtual} virtual cameras like those that the network was trained with`]
      : []),
    ...cameras.faults.map(({ message }) => `left out: ${message}`),
    '',
    ...latencies.map(([name, milliseconds]) => `${name.padEnd(18)}${milliseconds.toFixed(1).padStart(8)} ms`),
    '',
    ...(occupied_voxels === undefined
      ? []
      : [`${occupied_voxels} of ${observed_voxels} observed voxels are occupied`]),
    ...(detections === undefined ? [] : [`${detections} boxes`]),
    ...(history === undefined ? [] : [`features of the frame before: ${history}`]),
    ...Object.entries(out).map(([what, path]) => `${what.padEnd(8)} ${path}`),
  ].join('\n');
}
