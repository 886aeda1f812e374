import { availableParallelism, cpus } from 'node:os';
import { Command, InvalidArgumentError, Option } from 'commander';
import { env as onnxruntime } from 'onnxruntime-node';
import { measurePeaks, supportedIsas } from '../src/engine/native.js';
import { BdcError } from '../src/errors.js';
import { shippedModel } from '../src/engine/shipped-model.js';
import { ISAS, type Isa } from '../src/engine/types.js';
import { benchmarkFrame, type FrameResult } from './frame-benchmark.js';
import { benchmarkLayer, type LayerResult } from './layer-benchmark.js';
import { type GrowthRow, measureGrowth, measureScaling, type ScalingRow } from './growth.js';
import { LAYERS, layerName } from './layers.js';
import { markdownTable, milliseconds, ratio } from './report.js';

interface Options {
  readonly threads: number;
  readonly isa?: Isa;
  readonly repetitions?: number;
  readonly depth?: number;
  readonly layer?: string;
  readonly model?: string;
  readonly layers: boolean;
  readonly frame: boolean;
  readonly peers: boolean;
  readonly quick: boolean;
  readonly json: boolean;
}

function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('Expected a whole number from 1 on.');
  return value;
}

function layerTable(layers: readonly LayerResult[]): string {
  return markdownTable(
    ['layer', 'ours', 'FP32', '', 'u8', '', '% of peak'],
    layers.map((layer) => [
      layer.name,
      milliseconds(layer.ours_ms),
      milliseconds(layer.ort_fp32_ms),
      ratio(layer.ratio_fp32),
      milliseconds(layer.ort_u8_ms),
      ratio(layer.ratio_u8),
      layer.peak_percent?.toFixed(0) ?? '–',
    ]),
  );
}

function frameTable(frame: FrameResult): string {
  const { modules } = frame;
  return [
    markdownTable(
      ['frame', 'ours', 'FP32 twin', '', 'u8 twin', '', 'ours, everything', 'MiB'],
      [
        [
          `${frame.model}, ${frame.cameras} cameras`,
          milliseconds(frame.ours_ms),
          milliseconds(frame.ort_fp32_ms),
          ratio(frame.ratio_fp32),
          milliseconds(frame.ort_u8_ms),
          ratio(frame.ratio_u8),
          milliseconds(frame.whole_ms),
          frame.rss_mb.toFixed(0),
        ],
      ],
    ),
    markdownTable(
      ['module', 'ms'],
      Object.entries(modules).map(([name, time]) => [name, milliseconds(time)]),
    ),
  ].join('\n\n');
}

const options = new Command('bench')
  .description('Times single layers and whole frames against onnxruntime, in turns, in one process.')
  .option('--threads <n>', 'threads of each side', positiveInteger, 1)
  .addOption(
    new Option('--isa <name>', 'instruction set of ours; default $BDC_ISA, else the best').choices(ISAS),
  )
  .option('--repetitions <n>', 'timed turns of each contestant; their median counts (7)', positiveInteger)
  .option('--depth <n>', 'layers in a row that one turn of a layer runs (8)', positiveInteger)
  .option('--layer <text>', 'only the layers whose name contains this, e.g. "256→256"')
  .option('--quick', '3 turns of 4 layers in a row: ends within 50 s', false)
  .option('--model <file>', 'model of the frame benchmark; default: the one in models/edge')
  .option('--no-layers', 'leave out the layers')
  .option('--no-frame', 'leave out the whole frame')
  .option('--no-peers', 'leave out onnxruntime')
  .option('--json', 'print exactly one JSON object', false)
  .parse()
  .opts<Options>();

async function main(): Promise<void> {
  const { threads, peers, quick } = options;
  const repetitions = options.repetitions ?? (quick ? 3 : 7);
  const depth = options.depth ?? (quick ? 4 : 8);
  const isa = options.isa ?? ((process.env['BDC_ISA'] || supportedIsas().at(-1)) as Isa);
  const model = options.frame ? (options.model ?? shippedModel()) : undefined;
  const engine = { threads, isa, repetitions, peers };
  const say = (text: string): void => {
    if (!options.json) console.log(text);
  };

  const machine = `${cpus()[0]?.model ?? 'unknown CPU'}, ${availableParallelism()} cores`;
  say(
    `${machine}; ours: ${isa}; onnxruntime ${onnxruntime.versions.node ?? '?'}; ${threads} thread(s) each; ` +
      `milliseconds, medians of ${repetitions} turns; × = how many times ours`,
  );
  const peak = measurePeaks(isa).binary;
  const layers: LayerResult[] = [];
  if (options.layers) {
    for (const layer of LAYERS) {
      if (!layerName(layer).includes(options.layer ?? '')) continue;
      layers.push(await benchmarkLayer(layer, { ...engine, depth, peak }));
    }
    say(`\n${layerTable(layers)}`);
  }
  let frame: FrameResult | null = null;
  let scaling: ScalingRow[] = [];
  let growth: GrowthRow[] = [];
  if (model !== undefined) {
    frame = await benchmarkFrame(model, engine);
    say(`\n${frameTable(frame)}`);
    scaling = await measureScaling(model, isa, { most: availableParallelism(), repetitions });
    growth = await measureGrowth(model, { threads, isa }, { cameras: frame.cameras, repetitions });
    say(`\nthreads: ${scaling.map((row) => `${row.threads}: ${milliseconds(row.ms)}`).join(', ')}`);
    say(`growth: ${JSON.stringify(growth)}`);
  }
  if (options.json) {
    const row = frame && {
      ours_ms: frame.ours_ms,
      ort_fp32_ms: frame.ort_fp32_ms,
      ort_u8_ms: frame.ort_u8_ms,
      ratio_fp32: frame.ratio_fp32,
      ratio_u8: frame.ratio_u8,
      modules: frame.modules,
      rss_mb: frame.rss_mb,
    };
    console.log(JSON.stringify({ machine, isa, threads, layers, frame: row, scaling, growth }));
  }
}

main().catch((error: unknown) => {
  if (!(error instanceof BdcError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
});
