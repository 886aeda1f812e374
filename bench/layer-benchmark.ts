import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Tensor } from 'onnxruntime-node';
import { loadEngine } from '../src/engine/load-engine.js';
import type { EngineOptions } from '../src/engine/types.js';
import {
  blockChain,
  convolutionChain,
  isReal,
  layerMacs,
  layerName,
  randomFloats,
  type LayerShape,
} from './layers.js';
import { encodeModelFile } from './model-file.js';
import type { Network } from './network.js';
import { quantizedChain } from './onnx/quantized-chain.js';
import { byteTensor, createSession, floatTensor } from './onnx/session.js';
import { QuantizedTwin } from './onnx/quantized-twin.js';
import { OnnxTwin } from './onnx/twin.js';
import { type Contestant, ratioOf, runPaired } from './paired.js';

export interface LayerResult {
  readonly name: string;
  /** Milliseconds of one layer of ours, everything included (LayerKind). */
  readonly ours_ms: number;
  /**
   * Milliseconds of a bare convolution, FP32 and u8; of a unit, of the same unit with plain convolutions; of a layer of real weights, FP32 with
   * its ReLU.
   */
  readonly ort_fp32_ms: number | null;
  readonly ort_u8_ms: number | null;
  readonly ratio_fp32: number | null;
  readonly ratio_u8: number | null;
  /** W1A1: multiply-accumulates over the whole block's time, of this machine's measured peak of XOR, popcount and add. */
  readonly peak_percent: number | null;
}

const inputShape = ({ channels, size }: LayerShape): readonly [number, number, number, number] => [
  1,
  channels,
  size,
  size,
];

async function ours(
  network: Network,
  layer: LayerShape,
  input: Float32Array,
  options: EngineOptions,
): Promise<Contestant> {
  const folder = await mkdtemp(join(tmpdir(), 'bdc-bench-'));
  try {
    const file = join(folder, 'layer.safetensors');
    await writeFile(file, encodeModelFile(network));
    const engine = await loadEngine(file, options);
    return {
      name: 'ours',
      // What the operations take. onnxruntime reads its input where it lies; ours first copies it in, which no layer of a network does.
      run: async () => {
        const { operations } = await engine.runTensors({ input: { shape: inputShape(layer), data: input } });
        return operations.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
      },
      close: () => {
        engine.dispose();
        return Promise.resolve();
      },
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function onnxruntime(
  name: string,
  model: Uint8Array,
  input: Tensor,
  threads: number,
): Promise<Contestant> {
  const session = await createSession(model, threads);
  return {
    name,
    run: async () => {
      await session.run({ input });
      return undefined;
    },
    close: () => session.release(),
  };
}

function twin(Twin: typeof OnnxTwin | typeof QuantizedTwin, network: Network, layer: LayerShape): Uint8Array {
  const { operations, outputs } = network.manifest.graph;
  const inputs = [{ name: 'input', shape: inputShape(layer) }];
  return new Twin(network, inputs).translate(operations, Object.values(outputs));
}

export interface LayerOptions extends EngineOptions {
  readonly threads: number;
  /** Layers in a row that one turn runs. */
  readonly depth: number;
  readonly repetitions: number;
  /** Whether onnxruntime takes part. */
  readonly peers: boolean;
  /** Binary multiply-accumulates, 10⁹ a second, that one thread of this machine reaches at most. */
  readonly peak?: number;
}

/**
 * Times `depth` layers of a shape in a row, so that what comes before and after them counts little, and divides by `depth`. All end with the
 * mean of each channel: a small tensor to hand out.
 */
export async function benchmarkLayer(
  layer: LayerShape,
  { depth, repetitions, peers, peak, ...engine }: LayerOptions,
): Promise<LayerResult> {
  const { threads } = engine;
  const values = randomFloats(layer.channels * layer.size ** 2, 99);
  const real = floatTensor(values, inputShape(layer));
  const blocks = blockChain(layer, depth);
  const contestants: Contestant[] = [];
  try {
    contestants.push(await ours(blocks, layer, values, engine));
    if (peers) {
      const isUnit = layer.kind === 'unit';
      const plain = isUnit || isReal(layer.kind) ? blocks : convolutionChain(layer, depth);
      const bytes = byteTensor(
        Uint8Array.from(values, (value) => 128 + 127 * value),
        inputShape(layer),
      );
      contestants.push(await onnxruntime('fp32', twin(OnnxTwin, plain, layer), real, threads));
      contestants.push(
        isUnit
          ? await onnxruntime('u8', twin(QuantizedTwin, blocks, layer), real, threads)
          : await onnxruntime('u8', quantizedChain(layer, depth), bytes, threads),
      );
    }
    const times = await runPaired(contestants, repetitions);
    const own = (times.get('ours') ?? NaN) / depth;
    const [fp32, u8] = ['fp32', 'u8'].map((name) => {
      const time = times.get(name);
      return time === undefined ? undefined : time / depth;
    });
    return {
      name: layerName(layer),
      ours_ms: own,
      ort_fp32_ms: fp32 ?? null,
      ort_u8_ms: u8 ?? null,
      ratio_fp32: ratioOf(fp32, own),
      ratio_u8: ratioOf(u8, own),
      peak_percent:
        peak === undefined || layer.kind !== 'W1A1' ? null : layerMacs(layer) / own / 1e4 / (peak * threads),
    };
  } finally {
    for (const contestant of contestants) await contestant.close();
  }
}
