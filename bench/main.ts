import { Command, Option } from 'commander';
import { env as onnxruntime } from 'onnxruntime-node';
import { positiveInteger } from '../src/cli/options.js';
import { supportedIsas } from '../src/engine/native.js';
import { shippedModel } from '../src/engine/shipped-model.js';
import { ISAS, type Isa } from '../src/engine/types.js';
import { BdcError } from '../src/errors.js';
import { hiddenFromPeers, runWithout } from './cpuid/peers.js';
import { MaskError, toHide } from './cpuid/mask.js';
import { FULL_TURNS, machineName, QUICK_TURNS, runBenchmark } from './run.js';
import { frameTable, growthTable, layerTable, moduleTable, scalingTable, without } from './tables.js';

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
  readonly equalPeers: boolean;
  readonly quick: boolean;
  readonly json: boolean;
}

const options = new Command('bench')
  .description('Times single layers and whole frames against onnxruntime, in turns, in one process.')
  .option('--threads <n>', 'threads of each side', positiveInteger, 1)
  .addOption(
    new Option('--isa <name>', 'instruction set of ours; default $BDC_ISA, else the best').choices(ISAS),
  )
  .option('--repetitions <n>', 'timed turns of each contestant; their median counts (7)', positiveInteger)
  .option('--depth <n>', 'layers in a row that one turn of a layer runs (16)', positiveInteger)
  .option('--layer <text>', 'only the layers whose name contains this, e.g. "256→256"')
  .option('--quick', '3 turns of 3 layers in a row: ends within 50 s', false)
  .option('--model <file>', 'model of the frame benchmark; default: the one in models/edge')
  .option('--no-layers', 'leave out the layers')
  .option('--no-frame', 'leave out the whole frame')
  .option('--no-peers', 'leave out onnxruntime')
  .option('--no-equal-peers', 'let onnxruntime use instruction sets that --isa keeps from ours')
  .option('--json', 'print exactly one JSON object', false)
  .parse()
  .opts<Options>();

async function main(): Promise<void> {
  const { threads, peers, quick } = options;
  const turns = quick ? QUICK_TURNS : FULL_TURNS;
  const repetitions = options.repetitions ?? turns.repetitions;
  const depth = options.depth ?? turns.depth;
  const isa = options.isa ?? ((process.env['BDC_ISA'] || supportedIsas().at(-1)) as Isa);
  const hidden = peers && options.equalPeers ? toHide(isa, supportedIsas()) : [];
  if (hidden.length > 0 && process.env['MASKED_CPUID'] === undefined) {
    process.exitCode = runWithout(hidden);
    return;
  }
  if (!options.json) {
    console.log(
      `${machineName()}; ours: ${isa}; onnxruntime ${onnxruntime.versions.node ?? '?'}${without(hiddenFromPeers())}; ${threads} thread(s) each; ` +
        `milliseconds, medians of ${repetitions} turns; × = how many times ours; ✓ or "of": the bar of bench/bars.ts`,
    );
  }
  const result = await runBenchmark({
    isa,
    threads,
    repetitions,
    depth,
    peers,
    layers: options.layers ? (options.layer ?? '') : undefined,
    model: options.frame ? (options.model ?? shippedModel()) : undefined,
  });
  if (options.json) {
    console.log(JSON.stringify(result));
    return;
  }
  const { layers, frame } = result;
  if (layers.length > 0) console.log(`\n${layerTable(result)}`);
  if (frame !== null) {
    const tables = [frameTable(frame, result), moduleTable(frame), scalingTable(result), growthTable(result)];
    console.log(`\n${tables.join('\n\n')}`);
  }
}

main().catch((error: unknown) => {
  if (!(error instanceof BdcError || error instanceof MaskError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
});
