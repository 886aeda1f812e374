import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Tensor } from 'onnxruntime-node';
import { loadEngine } from '../src/engine/load-engine.js';
import type { EngineOptions } from '../src/engine/types.js';
import {
  blockChain,
  convolutionChain,
  layerMacs,
  layerName,
  randomFloats,
  type LayerShape,
} from './layers.js';
import { encodeModelFile } from './model-file.js';
import type { Network } from './network.js';
import { quantizedChain } from './onnx/quantized-chain.js';
import { byteTensor, createSession, floatTensor } from './onnx/session.js';
import { OnnxTwin } from './onnx/twin.js';
import { type Contestant, runPaired } from './paired.js';

export interface LayerResult {
  readonly name: string;
  /** Milliseconds of one layer. `ours` and `onnxruntimeBlock`: sign (ours only), convolution, RPReLU, residual; the others: convolution. */
  readonly ours: number;
  readonly onnxruntimeConvolution?: number;
  readonly onnxruntimeBlock?: number;
  readonly onnxruntimeU8?: number;
  /** Binary multiply-accumulates of ours, 10⁹ a second, over the whole block's time. */
  readonly gigaMacsPerSecond: number;
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
      run: async () => {
        await engine.runTensors({ input: { shape: inputShape(layer), data: input } });
        return undefined;
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

function twin(network: Network, layer: LayerShape): Uint8Array {
  const { operations, outputs } = network.manifest.graph;
  const inputs = [{ name: 'input', shape: inputShape(layer) }];
  return new OnnxTwin(network, inputs).translate(operations, Object.values(outputs));
}

export interface LayerOptions extends EngineOptions {
  readonly threads: number;
  /** Layers in a row that one turn runs. */
  readonly depth: number;
  readonly repetitions: number;
  /** Whether onnxruntime takes part. */
  readonly peers: boolean;
}

/**
 * Times `depth` layers of a shape in a row, so that handing tensors in and out counts little, and divides by `depth`.
 */
export async function benchmarkLayer(
  layer: LayerShape,
  { depth, repetitions, peers, ...engine }: LayerOptions,
): Promise<LayerResult> {
  const { threads } = engine;
  const values = randomFloats(layer.channels * layer.size ** 2, 99);
  const real = floatTensor(values, inputShape(layer));
  const blocks = blockChain(layer, depth);
  const contestants: Contestant[] = [];
  try {
    contestants.push(await ours(blocks, layer, values, engine));
    if (peers) {
      const convolutions = convolutionChain(layer, depth);
      const bytes = byteTensor(
        Uint8Array.from(values, (value) => 128 + 127 * value),
        inputShape(layer),
      );
      contestants.push(await onnxruntime('onnxruntimeConvolution', twin(convolutions, layer), real, threads));
      contestants.push(await onnxruntime('onnxruntimeBlock', twin(blocks, layer), real, threads));
      contestants.push(await onnxruntime('onnxruntimeU8', quantizedChain(layer, depth), bytes, threads));
    }
    const times = await runPaired(contestants, repetitions);
    const perLayer = Object.fromEntries([...times].map(([name, value]) => [name, value / depth]));
    const own = perLayer['ours'] ?? NaN;
    return {
      ...perLayer,
      name: layerName(layer),
      ours: own,
      gigaMacsPerSecond: layerMacs(layer) / own / 1e6,
    };
  } finally {
    for (const contestant of contestants) await contestant.close();
  }
}
