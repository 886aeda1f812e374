import { Command } from 'commander';
import { writeAtomically } from '../atomic-file.js';
import { chromeTrace, profileSteps, type StepProfile } from '../engine/frame-profile.js';
import { type Arithmetic, measurePeaks, type MachinePeaks } from '../engine/native.js';
import type { NetworkEngine } from '../engine/network-engine.js';
import type { EngineOutput } from '../engine/types.js';
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
function ringRays(cameras: number, [h, w]: readonly [number, number]): Float32Array {
  const rays = new Float32Array(cameras * h * w * 3);
  for (let i = 0; i < cameras * h * w; i++) {
    const yaw = (2 * Math.PI * Math.floor(i / (h * w))) / cameras;
    const right = (((i % w) + 0.5) / w - 0.5) * 1.4;
    const down = ((Math.floor(i / w) % h) + 0.5) / h - 0.5;
    rays.set(
      [Math.cos(yaw) + right * Math.sin(yaw), Math.sin(yaw) - right * Math.cos(yaw), -down * 0.5],
      3 * i,
    );
  }
  return rays;
}

async function runFrames(engine: NetworkEngine, frames: number): Promise<EngineOutput[]> {
  const { cameras, width, height } = engine.manifest.input;
  if (engine.featureSize !== undefined) {
    const origins = Float32Array.from({ length: 3 * cameras }, (_, i) => (i % 3 === 2 ? 1.5 : 0));
    await engine.setRig({ cameras, rays: ringRays(cameras, engine.featureSize), origins });
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
