import { SingleBar } from 'cli-progress';

import { NuscenesReader } from '../dataset/nuscenes-reader.js';
import { submissionBoxes } from '../dataset/nuscenes-submission.js';
import type { DetectionClass } from '../dataset/occ3d.js';
import type { Engine } from '../engine/types.js';
import { BdcError } from '../errors.js';
import { DatasetEvaluation } from '../evaluation/dataset-evaluation.js';
import { PerceptionPipeline } from '../perception/perception-pipeline.js';
import { SubmissionOutput, type SubmissionFlags } from './evaluation-output.js';
import { EvaluationPictures, type PictureFlags } from './evaluation-pictures.js';
import { INTERRUPTED, Interruption } from './interruption.js';
import type { ImageFlags } from './options.js';
import { quantile } from './quantile.js';

export interface DatasetFlags extends SubmissionFlags, PictureFlags, ImageFlags {
  readonly data: string;
  readonly tables?: string;
  readonly split?: string;
  readonly limit?: number;
  readonly rayIou: boolean;
  readonly scoreThreshold: number;
}

/** Runs the engine over a data set and scores it; after an interruption the figures are of what was done. */
export async function evaluateDataset(engine: Engine, flags: DatasetFlags) {
  const { data, tables, split, limit = Infinity } = flags;
  const { manifest } = engine;
  const evaluation = new DatasetEvaluation(manifest, { rayIou: flags.rayIou });
  const reader = await NuscenesReader.open(data, {
    ...(tables !== undefined && { version: tables }),
    ...(split !== undefined && { split }),
  });
  const total = Math.min(limit, reader.sampleCount);
  const names = (manifest.detection?.classes ?? []).map(({ name }) => name as DetectionClass);
  let token = '';
  const pipeline = new PerceptionPipeline({
    engine,
    virtualCameras: flags.virtualCameras,
    scoreThreshold: flags.scoreThreshold,
    jpegHalfScale: flags.jpegHalfScale,
    onImageError: (camera, cause) => {
      throw new BdcError('dataset', {
        code: 'DATASET_IMAGE_INVALID',
        message: `sample ${token}: the image of ${camera} cannot be used: ${cause.message}`,
        cause,
      });
    },
  });
  const output = await SubmissionOutput.open(flags);
  const pictures = new EvaluationPictures(manifest, flags, total);
  const bar = new SingleBar({
    format: 'evaluate [{bar}] {value}/{total} · {eta_formatted} left',
    stream: process.stderr,
    gracefulExit: false,
  });
  if (process.stderr.isTTY) bar.start(total, 0);
  const latencies: number[] = [];
  let throughVirtualCameras = 0;
  const interruption = new Interruption();
  let isComplete = false;
  try {
    for await (const sample of reader.samples(manifest.input.camera_names)) {
      ({ token } = sample);
      await pipeline.setRig(sample.rig);
      const result = await pipeline.process(sample.frame);
      const boxes = submissionBoxes(token, result.detections ?? [], names, sample.globalFromBase);
      const evaluated = evaluation.add(sample, { labels: result.occupancy!.labels, boxes });
      await output.add(evaluated, boxes);
      await pictures.add(evaluated, result);
      latencies.push(result.timings.total);
      if (pipeline.view!.virtualCameras > 0) throughVirtualCameras++;
      bar.increment();
      isComplete = latencies.length === total;
      if (isComplete || interruption.isAsked) break;
    }
  } finally {
    interruption.stop();
    bar.stop();
    await output.end(isComplete);
  }
  if (!isComplete) process.exitCode = INTERRUPTED;
  const figures = evaluation.report();
  return {
    model: manifest.name,
    data,
    ...(split !== undefined && { split }),
    samples: latencies.length,
    complete: isComplete,
    samples_through_virtual_cameras: throughVirtualCameras,
    voxel_size: (manifest.grid.max[0] - manifest.grid.min[0]) / manifest.grid.shape[0],
    ...figures,
    latency_ms: { p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) },
    pictures: await pictures.end(figures),
  };
}

export type EvaluationReport = Awaited<ReturnType<typeof evaluateDataset>>;
