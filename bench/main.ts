import { availableParallelism, cpus } from 'node:os';
import { Command, InvalidArgumentError, Option } from 'commander';
import { env as onnxruntime } from 'onnxruntime-node';
import { supportedIsas } from '../src/engine/native.js';
import { BdcError } from '../src/errors.js';
import { shippedModel } from '../src/engine/shipped-model.js';
import { ISAS, type Isa } from '../src/engine/types.js';
import { benchmarkFrame, type FrameResult } from './frame-benchmark.js';
import { benchmarkLayer, type LayerResult } from './layer-benchmark.js';
import { LAYERS } from './layers.js';
import { markdownTable, milliseconds, ratio } from './report.js';

interface Options {
  readonly threads: number;
  readonly isa?: Isa;
  readonly repetitions: number;
  readonly depth: number;
  readonly model?: string;
  readonly layers: boolean;
  readonly frame: boolean;
  readonly peers: boolean;
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
    ['layer', 'ours block', 'GMAC/s', 'FP32 conv', '', 'FP32 block', '', 'u8 conv', ''],
    layers.map((layer) => [
      layer.name,
      milliseconds(layer.ours),
      layer.gigaMacsPerSecond.toFixed(0),
      milliseconds(layer.onnxruntimeConvolution),
      ratio(layer.onnxruntimeConvolution, layer.ours),
      milliseconds(layer.onnxruntimeBlock),
      ratio(layer.onnxruntimeBlock, layer.ours),
      milliseconds(layer.onnxruntimeU8),
      ratio(layer.onnxruntimeU8, layer.ours),
    ]),
  );
}

function frameTable({ model, cameras, ours, onnxruntime: peer, oursWhole }: FrameResult): string {
  return markdownTable(
    ['frame', 'ours', 'FP32 twin', '', 'ours with lift-splat, argmax, input'],
    [
      [
        `${model}, ${cameras} cameras`,
        milliseconds(ours),
        milliseconds(peer),
        ratio(peer, ours),
        milliseconds(oursWhole),
      ],
    ],
  );
}

const options = new Command('bench')
  .description('Times single layers and whole frames against onnxruntime, in turns, in one process.')
  .option('--threads <n>', 'threads of each side', positiveInteger, 1)
  .addOption(
    new Option('--isa <name>', 'instruction set of ours; default $BDC_ISA, else the best').choices(ISAS),
  )
  .option('--repetitions <n>', 'timed turns of each contestant; their median counts', positiveInteger, 7)
  .option('--depth <n>', 'layers in a row that one turn of a layer runs', positiveInteger, 8)
  .option('--model <file>', 'model of the frame benchmark; default: the one in models/edge')
  .option('--no-layers', 'leave out the layers')
  .option('--no-frame', 'leave out the whole frame')
  .option('--no-peers', 'leave out onnxruntime')
  .option('--json', 'print exactly one JSON object', false)
  .parse()
  .opts<Options>();

async function main(): Promise<void> {
  const { threads, repetitions, depth, peers } = options;
  const isa = options.isa ?? ((process.env['BDC_ISA'] || supportedIsas().at(-1)) as Isa);
  const model = options.frame ? (options.model ?? shippedModel()) : undefined;
  const engine = { threads, isa, repetitions, peers };
  const say = (text: string): void => {
    if (!options.json) console.log(text);
  };

  say(
    `${cpus()[0]?.model ?? 'unknown CPU'}, ${availableParallelism()} cores; ours: ${isa}; ` +
      `onnxruntime ${onnxruntime.versions.node ?? '?'}; ${threads} thread(s) each; milliseconds, medians of ${repetitions} turns; × = how many times ours`,
  );
  const layers: LayerResult[] = [];
  if (options.layers) {
    for (const layer of LAYERS) layers.push(await benchmarkLayer(layer, { ...engine, depth }));
    say(`\n${layerTable(layers)}`);
  }
  let frame: FrameResult | undefined;
  if (model !== undefined) {
    frame = await benchmarkFrame(model, engine);
    say(`\n${frameTable(frame)}`);
  }
  if (options.json) {
    const cpu = cpus()[0]?.model;
    console.log(JSON.stringify({ cpu, isa, threads, repetitions, layers, ...(frame ? { frame } : {}) }));
  }
}

main().catch((error: unknown) => {
  if (!(error instanceof BdcError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
});
