import type { GraphOperation, ModelManifest } from '../src/engine/manifest.js';
import type { ModelTensor, Network } from './network.js';

/**
 * FP32, INT8: convolution of real weights on real and on int8 activations → ReLU. W1A1: sign → binary convolution → RPReLU → residual. W1A8, W1A32: the same on int8 and on real activations, without the sign. unit: a
 * whole BDC unit of the network, 3×3 W1A1 → RPReLU → 1×1 W1A8 → RPReLU → refinement branch → residual.
 */
export type LayerKind = 'FP32' | 'INT8' | 'W1A1' | 'W1A8' | 'W1A32' | 'unit';

/** A square layer that keeps the image size: kernel × kernel, channels → channels, on size × size pixels. */
export interface LayerShape {
  readonly kind: LayerKind;
  readonly kernel: 1 | 3;
  readonly channels: number;
  readonly size: number;
}

/** Layers of ResNet-50 on six images of 256×704, as one square image of as many pixels (a few more or less). */
const RESNET_SHAPES: readonly Omit<LayerShape, 'kind'>[] = [
  { kernel: 3, channels: 64, size: 260 },
  { kernel: 3, channels: 128, size: 130 },
  { kernel: 3, channels: 256, size: 65 },
  { kernel: 3, channels: 512, size: 32 },
  { kernel: 1, channels: 256, size: 130 },
  { kernel: 1, channels: 1024, size: 32 },
];

/** Shapes of the image encoder and BEV encoder of published networks of this kind. */
export const LAYERS: readonly LayerShape[] = [
  { kind: 'W1A1', kernel: 3, channels: 256, size: 100 },
  { kind: 'W1A1', kernel: 1, channels: 256, size: 100 },
  { kind: 'W1A8', kernel: 1, channels: 256, size: 100 },
  { kind: 'W1A32', kernel: 1, channels: 256, size: 100 },
  { kind: 'unit', kernel: 3, channels: 256, size: 100 },
  { kind: 'W1A1', kernel: 3, channels: 64, size: 200 },
  { kind: 'W1A1', kernel: 3, channels: 128, size: 200 },
  { kind: 'W1A1', kernel: 3, channels: 512, size: 50 },
  ...RESNET_SHAPES.map((shape) => ({ kind: 'FP32' as const, ...shape })),
  ...RESNET_SHAPES.map((shape) => ({ kind: 'INT8' as const, ...shape })),
];

export function layerName({ kind, kernel, channels, size }: LayerShape): string {
  const what = kind === 'unit' ? 'BDC unit' : `${kernel}×${kernel} ${kind}`;
  return `${what} ${channels}→${channels} @ ${size}²`;
}

/** Multiply-accumulates of one layer; of a unit, its 3×3 and its 1×1 convolution. */
export function layerMacs({ kind, kernel, channels, size }: LayerShape): number {
  const taps = kernel ** 2 + (kind === 'unit' ? 1 : 0);
  return taps * (channels * size) ** 2;
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

/** A convolution of real weights, on int8 activations where these have a scale. */
function addRealConvolution(
  chain: ChainBuilder,
  { name, input, kernel, from, to, seed, activationScale }: Convolution,
): string {
  const padding = (kernel - 1) / 2;
  const shape = [to, from, kernel, kernel];
  const weight = randomFloats(to * from * kernel * kernel, seed);
  // Keeps the size of the values along the chain.
  const size = Math.sqrt(6 / (from * kernel * kernel));
  const attributes = { stride: [1, 1], padding: [padding, padding] };
  if (activationScale === undefined) {
    return chain.add(
      { name, op: 'conv2d', inputs: [input], attributes },
      { weight: { shape, data: weight.map((value) => size * value) } },
    );
  }
  return chain.add(
    { name, op: 'conv2d', inputs: [input], attributes: { ...attributes, activation_scale: activationScale } },
    {
      weight: { shape, data: Int8Array.from(weight, (value) => Math.round(127 * value)) },
      scale: { shape: [to], data: new Float32Array(to).fill(size / 127) },
    },
  );
}

interface Convolution {
  readonly name: string;
  readonly input: string;
  readonly kernel: number;
  readonly from: number;
  readonly to: number;
  readonly seed: number;
  /** Of int8 activations. */
  readonly activationScale?: number;
}

function addConvolution(
  chain: ChainBuilder,
  { name, input, kernel, from, to, seed, activationScale }: Convolution,
): string {
  const padding = (kernel - 1) / 2;
  const words = Math.ceil(from / 64);
  // Keeps the variance of the sums near 1 along the chain.
  const scale = new Float32Array(to).fill(1 / Math.sqrt(from * kernel * kernel));
  const weight = randomBits(to * kernel * kernel * words, seed);
  if (from % 64 !== 0) {
    const used = (1n << BigInt(from % 64)) - 1n;
    for (let i = words - 1; i < weight.length; i += words) weight[i] = (weight[i] ?? 0n) & used;
  }
  return chain.add(
    {
      name,
      op: 'binary_conv2d',
      inputs: [input],
      attributes: {
        in_channels: from,
        stride: [1, 1],
        padding: [padding, padding],
        ...(activationScale !== undefined && { activation_scale: activationScale }),
      },
    },
    { weight: { shape: [to, kernel, kernel, words], data: weight }, scale: { shape: [to], data: scale } },
  );
}

function addPerChannel(
  chain: ChainBuilder,
  op: 'sign' | 'rprelu',
  { name, input, channels, seed }: { name: string; input: string; channels: number; seed: number },
): string {
  const values = (i: number): ModelTensor => ({ shape: [channels], data: randomFloats(channels, seed + i) });
  const tensors =
    op === 'sign'
      ? {
          threshold: values(0),
          direction: { shape: [channels], data: new Int8Array(channels).fill(1) },
        }
      : { bias_in: values(0), slope: values(1), bias_out: values(2) };
  return chain.add({ name, op, inputs: [input] }, tensors);
}

/** Activations of these chains lie within about ±4. */
const ACTIVATION_SCALE = 4 / 127;
/** A convolution, then RPReLU. */
function addBent(chain: ChainBuilder, convolution: Convolution): string {
  const { name, to, seed } = convolution;
  const input = addConvolution(chain, convolution);
  return addPerChannel(chain, 'rprelu', { name: `${name}.rprelu`, input, channels: to, seed: seed + 1 });
}

/** The published unit: its refinement branch is as wide as itself. */
function addUnit(chain: ChainBuilder, { channels }: LayerShape, input: string, i: number): string {
  const seed = 30 * i;
  const sizes = { from: channels, to: channels };
  const sign = addPerChannel(chain, 'sign', { name: `sign${i}`, input, channels, seed: seed + 1 });
  const spatial = { name: `spatial${i}`, input: sign, kernel: 3, seed: seed + 2, ...sizes };
  const y = addBent(chain, {
    name: `pointwise${i}`,
    input: addBent(chain, spatial),
    kernel: 1,
    seed: seed + 6,
    activationScale: ACTIVATION_SCALE,
    ...sizes,
  });
  const mean = chain.add({ name: `mean${i}`, op: 'global_avg_pool2d', inputs: [y] });
  const squeeze = { name: `squeeze${i}`, input: mean, kernel: 1, seed: seed + 10, ...sizes };
  const expand = addConvolution(chain, {
    name: `expand${i}`,
    input: addBent(chain, squeeze),
    kernel: 1,
    seed: seed + 14,
    ...sizes,
  });
  const gate = chain.add({ name: `gate${i}`, op: 'sigmoid', inputs: [expand] });
  const gated = chain.add({ name: `gated${i}`, op: 'channel_gate', inputs: [y, gate] });
  return chain.add({ name: `unit${i}`, op: 'add', inputs: [gated, input] });
}

function addBlock(chain: ChainBuilder, layer: LayerShape, input: string, i: number): string {
  const { kind, kernel, channels } = layer;
  const seed = 10 * i;
  if (isReal(kind)) {
    const convolution = { name: `conv${i}`, input, kernel, from: channels, to: channels, seed: seed + 2 };
    const y = addRealConvolution(chain, {
      ...convolution,
      ...(kind === 'INT8' && { activationScale: ACTIVATION_SCALE }),
    });
    return chain.add({ name: `block${i}`, op: 'relu', inputs: [y] });
  }
  const bent = addBent(chain, {
    name: `conv${i}`,
    input:
      kind === 'W1A1'
        ? addPerChannel(chain, 'sign', { name: `sign${i}`, input, channels, seed: seed + 1 })
        : input,
    kernel,
    from: channels,
    to: channels,
    seed: seed + 2,
    ...(kind === 'W1A8' && { activationScale: ACTIVATION_SCALE }),
  });
  return chain.add({ name: `block${i}`, op: 'add', inputs: [bent, input] });
}

/** Layers of real weights: their peers compute the same, ReLUs included. */
export const isReal = (kind: LayerKind): boolean => kind === 'FP32' || kind === 'INT8';

/** `depth` layers in a row. */
export function blockChain(layer: LayerShape, depth: number): Network {
  const chain = new ChainBuilder();
  let input = 'input';
  for (let i = 0; i < depth; i++) {
    input = layer.kind === 'unit' ? addUnit(chain, layer, input, i) : addBlock(chain, layer, input, i);
  }
  return chain.finish(layer, input);
}

/** `depth` convolutions in a row and nothing between them. */
export function convolutionChain({ kernel, channels, ...layer }: LayerShape, depth: number): Network {
  const chain = new ChainBuilder();
  let input = 'input';
  for (let i = 0; i < depth; i++) {
    const name = `conv${i}`;
    input = addConvolution(chain, { name, input, kernel, from: channels, to: channels, seed: 10 * i + 2 });
  }
  return chain.finish({ kernel, channels, ...layer }, input);
}
