import { availableParallelism, cpus } from 'node:os';
import { measurePeaks } from '../src/engine/native.js';
import type { Isa } from '../src/engine/types.js';
import { hiddenFromPeers } from './cpuid/peers.js';
import { benchmarkFrame, type FrameResult } from './frame-benchmark.js';
import { type GrowthRow, measureGrowth, measureScaling, type ScalingRow } from './growth.js';
import { benchmarkLayer, type LayerResult } from './layer-benchmark.js';
import { LAYERS, layerName } from './layers.js';

interface Turns {
  /** Timed turns of each contestant. */
  readonly repetitions: number;
  /** Layers in a row that one turn of a layer runs. */
  readonly depth: number;
}

export interface BenchmarkOptions extends Turns {
  readonly isa: Isa;
  readonly threads: number;
  /** Whether onnxruntime takes part. */
  readonly peers: boolean;
  /** Which layers: those whose name contains this; undefined: none. */
  readonly layers: string | undefined;
  /** Model of the frame benchmark; undefined: none. */
  readonly model: string | undefined;
}

/** `--quick` ends within 50 s; the ends of a longer row count less. */
export const FULL_TURNS: Turns = { repetitions: 7, depth: 16 };
export const QUICK_TURNS: Turns = { repetitions: 3, depth: 3 };

/** What `npm run bench -- --json` prints. */
export interface BenchmarkResult {
  readonly machine: string;
  readonly isa: Isa;
  /** Instruction sets of this machine that onnxruntime, like ours, didn't use. */
  readonly hidden_from_peers: readonly string[];
  readonly threads: number;
  readonly layers: readonly LayerResult[];
  readonly frame: FrameResult | null;
  readonly scaling: readonly ScalingRow[];
  readonly growth: readonly GrowthRow[];
}

export const machineName = (): string =>
  `${cpus()[0]?.model ?? 'unknown CPU'}, ${availableParallelism()} cores`;

export async function runBenchmark(options: BenchmarkOptions): Promise<BenchmarkResult> {
  const { isa, threads, repetitions, model } = options;
  const engine = { isa, threads, repetitions, peers: options.peers };
  const peak = measurePeaks(isa).binary;
  const layers: LayerResult[] = [];
  for (const layer of LAYERS) {
    if (options.layers === undefined || !layerName(layer).includes(options.layers)) continue;
    layers.push(await benchmarkLayer(layer, { ...engine, depth: options.depth, peak }));
  }
  let frame: FrameResult | null = null;
  let scaling: ScalingRow[] = [];
  let growth: GrowthRow[] = [];
  if (model !== undefined) {
    frame = await benchmarkFrame(model, engine);
    scaling = await measureScaling(model, isa, { most: availableParallelism(), repetitions });
    growth = await measureGrowth(model, { threads, isa }, { cameras: frame.cameras, repetitions });
  }
  const hidden_from_peers = hiddenFromPeers();
  return { machine: machineName(), isa, hidden_from_peers, threads, layers, frame, scaling, growth };
}
