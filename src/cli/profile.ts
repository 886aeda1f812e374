import { Command } from 'commander';
import { writeAtomically } from '../atomic-file.js';
import { chromeTrace, profileSteps, type StepProfile } from '../engine/frame-profile.js';
import { type Arithmetic, measurePeaks, type MachinePeaks } from '../engine/native.js';
import type { ModelManifest } from '../engine/manifest.js';
import type { NetworkEngine } from '../engine/network-engine.js';
import type { EngineOutput } from '../engine/types.js';
import { PinholeCamera } from '../geometry/pinhole-camera.js';
import { computeCameraParameters } from '../perception/camera-parameters.js';
import type { NetworkView } from '../perception/network-views.js';
import { computeRigRays } from '../perception/rig-rays.js';
import { levelMount } from '../perception/trained-views.js';
import { printJson } from './json-output.js';
import { openEngine, type EngineFlags } from './open-engine.js';
import { addEngineOptions, jsonOption, positiveInteger } from './options.js';

interface Options extends Omit<EngineFlags, 'model'> {
  readonly frames: number;
  readonly trace?: string;
  readonly json?: boolean;
}

/** `bdc-occ profile MODEL`: where a frame's time goes. */
export function profileCommand(): Command {
  return addEngineOptions(
    new Command('profile')
      .description('time each step of a model on this machine, on grey images from a ring of cameras')
      .argument('<model>', 'model file (.safetensors)'),
  )
    .option('--frames <n>', 'frames that are timed; their medians count', positiveInteger, 20)
    .option('--trace <file>', 'write the last frame as a Chrome trace, for chrome://tracing or Perfetto')
    .addOption(jsonOption())
    .action(async (model: string, { frames, trace, json, ...flags }: Options) => {
      const engine = await openEngine({ ...flags, model });
      try {
        const peaks = measurePeaks(engine.isa);
        const outputs = await runFrames(engine, frames);
        const steps = profileSteps(engine, outputs, peaks);
        if (trace !== undefined) {
          await writeAtomically(trace, JSON.stringify(chromeTrace(engine.manifest.name, outputs.at(-1)!)));
        }
        if (json) printJson({ ...describe(engine, peaks), steps });
        else process.stdout.write(`${formatProfile(engine, peaks, steps)}\n`);
      } finally {
        engine.dispose();
      }
    });
}

/** Cameras on a circle looking outwards: the number of points that fall into the grid is like a real rig's. */
function ringViews({ cameras, width, height }: ModelManifest['input']): readonly NetworkView[] {
  const [cx, cy] = [(width - 1) / 2, (height - 1) / 2];
  const model = new PinholeCamera({ width, height, fx: width / 1.4, fy: height / 0.5, cx, cy });
  return Array.from({ length: cameras }, (_, source) => ({
    source,
    camera: {
      name: `ring_${source}`,
      model,
      baseFromCamera: levelMount((2 * Math.PI * source) / cameras, [0, 0, 1.5]),
    },
    depthScale: 1,
  }));
}

async function runFrames(engine: NetworkEngine, frames: number): Promise<EngineOutput[]> {
  const { input } = engine.manifest;
  const { cameras, width, height } = input;
  if (engine.featureSize !== undefined) {
    const views = ringViews(input);
    await engine.setRig({
      ...computeRigRays(views, input, engine.featureSize),
      ...(engine.usesCalibration && { parameters: computeCameraParameters(views, input) }),
    });
  }
  const grey = new Uint8Array(width * height * 3).fill(128);
  const images = Array.from({ length: cameras }, () => grey);
  await engine.run(images); // the first frame allocates
  const outputs: EngineOutput[] = [];
  for (let i = 0; i < frames; i++) outputs.push(await engine.run(images));
  return outputs;
}

const describe = (engine: NetworkEngine, peaks: MachinePeaks): Readonly<Record<string, unknown>> => ({
  model: engine.manifest.name,
  isa: engine.isa,
  threads: engine.threads,
  peaks_gmacs: peaks,
  arena_bytes: engine.arenaBytes,
});

const NAMES: Readonly<Record<Arithmetic, string>> = {
  none: '',
  real: 'real',
  int8: 'int8',
  binary: 'binary',
  binary_weight_int8_input: 'binary × int8',
  binary_weight_real_input: 'binary × real',
};

function formatProfile(engine: NetworkEngine, peaks: MachinePeaks, steps: readonly StepProfile[]): string {
  const head = ['step', 'what', 'shape', 'of', 'ms', 'GMAC/s', '% peak', 'KB'];
  const rows = [
    head,
    ...steps.map((step) => [
      step.name,
      step.op,
      step.shape.join('×'),
      step.gigaMacsPerSecond === undefined ? '' : NAMES[step.arithmetic],
      step.milliseconds.toFixed(3),
      step.gigaMacsPerSecond?.toFixed(0) ?? '',
      step.peakPercent?.toFixed(0) ?? '',
      (step.bytes / 1e3).toFixed(0),
    ]),
  ];
  const widths = head.map((_, column) => Math.max(...rows.map((cells) => cells[column]!.length)));
  const table = rows.map((cells) =>
    cells
      .map((cell, column) => (column < 4 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  '),
  );
  const total = steps.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  return [
    `${engine.manifest.name}: ${engine.isa}, ${engine.threads} thread(s); one thread's peak: ` +
      `${peaks.binary.toFixed(0)} GMAC/s binary, ${peaks.real.toFixed(0)} GMAC/s real`,
    '',
    ...table,
    '',
    `${total.toFixed(2)} ms in ${steps.length} steps; ${(engine.arenaBytes / 1e6).toFixed(1)} MB between steps`,
  ].join('\n');
}
