import type { GraphOperation, ModelManifest } from '../src/engine/manifest.js';
import type { ModelTensor, Network } from './network.js';

/** A square binary convolution that keeps the image size: kernel × kernel, channels → channels, on size × size pixels. */
export interface LayerShape {
  readonly kernel: 1 | 3;
  readonly channels: number;
  readonly size: number;
}

/** Shapes of the image encoder and BEV encoder of published networks of this kind. */
export const LAYERS: readonly LayerShape[] = [
  { kernel: 3, channels: 256, size: 100 },
  { kernel: 1, channels: 256, size: 100 },
  { kernel: 3, channels: 64, size: 200 },
  { kernel: 3, channels: 128, size: 200 },
  { kernel: 3, channels: 512, size: 50 },
];

export function layerName({ kernel, channels, size }: LayerShape): string {
  return `${kernel}×${kernel} ${channels}→${channels} @ ${size}²`;
}

/** Multiply-accumulates of one layer. */
export function layerMacs({ kernel, channels, size }: LayerShape): number {
  return (channels * kernel * size) ** 2;
}

/** Reproducible numbers in [−1, 1) (xorshift32). */
export function randomFloats(count: number, seed: number): Float32Array {
  let state = seed | 1;
  return Float32Array.from({ length: count }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state / 2 ** 31;
  });
}

function randomBits(count: number, seed: number): BigUint64Array {
  const halves = new Uint32Array(2 * count);
  randomFloats(2 * count, seed).forEach((value, i) => (halves[i] = value * 2 ** 31));
  return new BigUint64Array(halves.buffer);
}

/** Collects the operations of a chain, each fed by the one before. */
class ChainBuilder {
  readonly #operations: GraphOperation[] = [];
  readonly #tensors = new Map<string, ModelTensor>();

  add(
    operation: Pick<GraphOperation, 'name' | 'op' | 'inputs' | 'attributes'>,
    tensors: Record<string, ModelTensor> = {},
  ): string {
    const { name } = operation;
    const named = Object.entries(tensors).map(([key, tensor]) => {
      this.#tensors.set(`${name}.${key}`, tensor);
      return [key, `${name}.${key}`] as const;
    });
    this.#operations.push({
      ...operation,
      module: 'bev_encoder',
      outputs: [name],
      ...(named.length > 0 ? { tensors: Object.fromEntries(named) } : {}),
    });
    return name;
  }

  /**
   * A network that takes `input` and gives the mean of each channel of `last`: handing out a small tensor takes no time. The classes
   * are there because the format asks for some.
   */
  finish({ channels, size }: LayerShape, last: string): Network {
    const output = this.add({ name: 'mean', op: 'global_avg_pool2d', inputs: [last] });
    const manifest: ModelManifest = {
      format: 'bdc_occ',
      format_version: 1,
      name: 'bench-layer',
      license: 'Apache-2.0',
      training_data: 'none: random weights',
      metrics: {},
      input: { width: 1, height: 1, cameras: 1, camera_names: [], mean: [0, 0, 0], std: [1, 1, 1] },
      grid: { min: [0, 0, 0], max: [1, 1, 1], shape: [1, 1, 1] },
      occupancy: {
        classes: [
          { name: 'occupied', color: [0, 0, 0], traversable: false },
          { name: 'free', color: [255, 255, 255], traversable: true },
        ],
        free: 1,
      },
      graph: {
        inputs: [{ name: 'input', shape: [1, channels, size, size] }],
        operations: this.#operations,
        outputs: { mean: output },
      },
    };
    return { manifest, tensors: this.#tensors };
  }
}

function addConvolution(
  chain: ChainBuilder,
  layer: LayerShape,
  name: string,
  input: string,
  seed: number,
): string {
  const { kernel, channels } = layer;
  const padding = (kernel - 1) / 2;
  const words = channels / 64;
  // Keeps the variance of the sums near 1 along the chain.
  const scale = new Float32Array(channels).fill(1 / Math.sqrt(channels * kernel * kernel));
  return chain.add(
    {
      name,
      op: 'binary_conv2d',
      inputs: [input],
      attributes: { in_channels: channels, stride: [1, 1], padding: [padding, padding] },
    },
    {
      weight: {
        shape: [channels, kernel, kernel, words],
        data: randomBits(channels * kernel * kernel * words, seed),
      },
      scale: { shape: [channels], data: scale },
    },
  );
}

/** `depth` blocks in a row: sign → binary convolution → RPReLU → residual. */
export function blockChain(layer: LayerShape, depth: number): Network {
  const chain = new ChainBuilder();
  const shape = [layer.channels];
  const perChannel = (seed: number): ModelTensor => ({ shape, data: randomFloats(layer.channels, seed) });
  let input = 'input';
  for (let i = 0; i < depth; i++) {
    const sign = chain.add(
      { name: `sign${i}`, op: 'sign', inputs: [input] },
      {
        threshold: perChannel(10 * i + 1),
        direction: { shape, data: new Int8Array(layer.channels).fill(1) },
      },
    );
    const conv = addConvolution(chain, layer, `conv${i}`, sign, 10 * i + 2);
    const rprelu = chain.add(
      { name: `rprelu${i}`, op: 'rprelu', inputs: [conv] },
      {
        bias_in: perChannel(10 * i + 3),
        slope: perChannel(10 * i + 4),
        bias_out: perChannel(10 * i + 5),
      },
    );
    input = chain.add({ name: `block${i}`, op: 'add', inputs: [rprelu, input] });
  }
  return chain.finish(layer, input);
}

/** `depth` convolutions in a row and nothing between them. */
export function convolutionChain(layer: LayerShape, depth: number): Network {
  const chain = new ChainBuilder();
  let input = 'input';
  for (let i = 0; i < depth; i++) input = addConvolution(chain, layer, `conv${i}`, input, 10 * i + 2);
  return chain.finish(layer, input);
}
