import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cutGraph } from '../../bench/frame-benchmark.js';
import { convolutionChain, randomFloats } from '../../bench/layers.js';
import { encodeModelFile, readNetwork } from '../../bench/model-file.js';
import type { ModelTensor, Network } from '../../bench/network.js';
import { QuantizedTwin } from '../../bench/onnx/quantized-twin.js';
import { createSession, floatTensor, type OrtTensor as Tensor } from '../../bench/onnx/session.js';
import { OnnxTwin, type TwinInput } from '../../bench/onnx/twin.js';
import { loadEngine } from '../../src/engine/load-engine.js';
import type { GraphOperation } from '../../src/engine/manifest.js';

type Step = Omit<GraphOperation, 'name' | 'module' | 'outputs' | 'tensors'> & {
  readonly outputs?: readonly string[];
  readonly tensors?: Readonly<Record<string, ModelTensor>>;
};

const vector = (length: number, seed: number): ModelTensor => ({
  shape: [length],
  data: randomFloats(length, seed),
});

/** Each real operation once, on 4 channels of 6 × 8; step `k` gives tensor `k`. */
const steps: Readonly<Record<string, Step>> = {
  conv: {
    op: 'conv2d',
    inputs: ['input'],
    attributes: { stride: [1, 1], padding: [1, 0] },
    tensors: { weight: { shape: [4, 4, 3, 1], data: randomFloats(48, 1) }, bias: vector(4, 2) },
  },
  norm: { op: 'batch_norm', inputs: ['conv'], tensors: { scale: vector(4, 3), bias: vector(4, 4) } },
  rprelu: {
    op: 'rprelu',
    inputs: ['norm'],
    tensors: { bias_in: vector(4, 5), slope: vector(4, 6), bias_out: vector(4, 7) },
  },
  prelu: { op: 'prelu', inputs: ['rprelu'], tensors: { slope: vector(4, 8) } },
  halves: { op: 'split', inputs: ['prelu'], outputs: ['upper', 'lower'], attributes: { sizes: [1, 3] } },
  whole: { op: 'concat', inputs: ['lower', 'upper'] },
  relu: { op: 'relu', inputs: ['whole'] },
  softplus: { op: 'softplus', inputs: ['whole'] },
  softmax: { op: 'softmax', inputs: ['whole'] },
  sum: { op: 'add', inputs: ['relu', 'softplus', 'softmax'] },
  mean: { op: 'average', inputs: ['sum', 'whole'] },
  pooled: { op: 'avg_pool2d', inputs: ['mean'], attributes: { kernel: [2, 2], stride: [2, 2] } },
  average: { op: 'global_avg_pool2d', inputs: ['pooled'] },
  gate: { op: 'sigmoid', inputs: ['average'] },
  gated: { op: 'channel_gate', inputs: ['pooled', 'gate'] },
  smooth: { op: 'upsample2d', inputs: ['gated'], attributes: { factor: 2, mode: 'bilinear' } },
  blocky: { op: 'upsample2d', inputs: ['gated'], attributes: { factor: 2, mode: 'nearest' } },
  largest: {
    op: 'max_pool2d',
    inputs: ['mean'],
    attributes: { kernel: [3, 3], stride: [1, 1], padding: [1, 1] },
  },
  wide: {
    op: 'conv2d',
    inputs: ['mean'],
    attributes: { stride: [1, 1], padding: [2, 3], dilation: [2, 3] },
    tensors: { weight: { shape: [4, 4, 3, 3], data: randomFloats(144, 9) } },
  },
  moved: { op: 'channel_offset', inputs: ['wide', 'gate'] },
  last: { op: 'concat', inputs: ['smooth', 'blocky', 'mean', 'largest', 'moved'] },
};

function networkOf(list: Readonly<Record<string, Step>>, output: string): Network {
  const tensors = new Map<string, ModelTensor>();
  const operations = Object.entries(list).map(([name, step]): GraphOperation => {
    const { tensors: own, ...rest } = step;
    const names: Record<string, string> = {};
    for (const [key, tensor] of Object.entries(own ?? {})) {
      tensors.set(`${name}.${key}`, tensor);
      names[key] = `${name}.${key}`;
    }
    return { outputs: [name], ...rest, name, module: 'bev_encoder', ...(own ? { tensors: names } : {}) };
  });
  const { manifest } = convolutionChain({ kind: 'W1A1', kernel: 1, channels: 64, size: 1 }, 1);
  const graph = { inputs: [{ name: 'input', shape: [1, 4, 6, 8] }], operations, outputs: { result: output } };
  return { manifest: { ...manifest, graph }, tensors };
}

describe('OnnxTwin', () => {
  let folder = '';
  before(async () => (folder = await mkdtemp(join(tmpdir(), 'bdc-twin-'))));
  after(() => rm(folder, { recursive: true }));

  async function expectSameOutput(network: Network): Promise<void> {
    const { operations, inputs, outputs } = network.manifest.graph;
    const [shape, name] = [inputs[0]!.shape.map(Number), Object.values(outputs)[0]!];
    const data = randomFloats(
      shape.reduce((product, size) => product * size, 1),
      77,
    );
    const file = join(folder, 'network.safetensors');
    await writeFile(file, encodeModelFile(network));
    const engine = await loadEngine(file, { threads: 1, residual: 'fp32' });
    const session = await createSession(
      new OnnxTwin(network, [{ name: 'input', shape }]).translate(operations, [name]),
      1,
    );
    try {
      const ours = [...(await engine.runTensors({ input: { shape, data } })).tensors.values()][0]!;
      const theirs = (await session.run({ input: floatTensor(data, shape) }))[name]!;
      assert.deepEqual(theirs.dims, ours.shape);
      const expected = theirs.data as Float32Array;
      const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      assert.ok(largest > 0.01, `the outputs are almost zero: ${largest}`);
      expected.forEach((value, i) => {
        assert.ok(
          Math.abs(value - ours.data[i]!) <= 1e-4 * largest,
          `value ${i}: theirs ${value}, ours ${ours.data[i]}`,
        );
      });
    } finally {
      engine.dispose();
      await session.release();
    }
  }

  it('computes what the engine computes, for every real operation', () =>
    expectSameOutput(networkOf(steps, 'last')));

  it('unpacks binary weights and scales', () =>
    expectSameOutput(convolutionChain({ kind: 'W1A1', kernel: 3, channels: 64, size: 5 }, 3)));

  it('refuses an operation without counterpart', () => {
    const network = networkOf({ labels: { op: 'occupancy_argmax', inputs: ['input'] } }, 'labels');
    const twin = new OnnxTwin(network, [{ name: 'input', shape: [1, 4, 6, 8] }]);
    assert.throws(
      () => twin.translate(network.manifest.graph.operations, ['labels']),
      /no ONNX counterpart for operation 'occupancy_argmax'/,
    );
  });

  it('reads back the network that a model file holds', async () => {
    const network = networkOf(steps, 'last');
    const file = join(folder, 'again.safetensors');
    await writeFile(file, encodeModelFile(network));
    const again = await readNetwork(file);
    assert.deepEqual(again.manifest, network.manifest);
    for (const [name, tensor] of network.tensors) assert.deepEqual(again.tensors.get(name), tensor, name);
  });
});

describe('QuantizedTwin', () => {
  async function run(model: Uint8Array, { manifest }: Network): Promise<Tensor> {
    const shape = manifest.graph.inputs[0]!.shape.map(Number);
    const session = await createSession(model, 1);
    try {
      const count = shape.reduce((product, size) => product * size, 1);
      const [output] = Object.values(
        await session.run({ input: floatTensor(randomFloats(count, 77), shape) }),
      );
      return output!;
    } finally {
      await session.release();
    }
  }

  const inputsOf = ({ manifest }: Network): TwinInput[] =>
    manifest.graph.inputs.map(({ name, shape }) => ({ name, shape: shape.map(Number) }));

  it('computes convolutions as the FP32 twin does, within the steps of 8 bits', async () => {
    const network = convolutionChain({ kind: 'W1A1', kernel: 3, channels: 64, size: 5 }, 2);
    const operations = network.manifest.graph.operations.slice(0, 2);
    const real = await run(
      new OnnxTwin(network, inputsOf(network)).translate(operations, ['conv1']),
      network,
    );
    const bytes = await run(
      new QuantizedTwin(network, inputsOf(network)).translate(operations, ['conv1']),
      network,
    );
    assert.equal(bytes.type, 'uint8');
    assert.deepEqual(bytes.dims, real.dims);
    (real.data as Float32Array).forEach((value, i) => {
      const found = (Number(bytes.data[i]) - 128) * (8 / 255);
      assert.ok(Math.abs(found - value) < 0.15, `value ${i}: FP32 ${value}, 8 bits ${found}`);
    });
  });

  it('has an 8-bit form of every real operation', async () => {
    const network = networkOf(steps, 'last');
    const model = new QuantizedTwin(network, inputsOf(network)).translate(network.manifest.graph.operations, [
      'last',
    ]);
    const output = await run(model, network);
    assert.deepEqual([output.type, output.dims], ['uint8', [1, 20, 6, 8]]);
    assert.ok(new Set(output.data as Uint8Array).size > 4, 'the outputs are almost constant');
  });
});

describe('cutGraph', () => {
  it('parts a graph at lift_splat and leaves out what the twin lacks', () => {
    const { manifest } = networkOf(
      {
        depth: { op: 'relu', inputs: ['input'] },
        context: { op: 'sigmoid', inputs: ['input'] },
        bev: { op: 'lift_splat', inputs: ['depth', 'context'] },
        logits: { op: 'relu', inputs: ['bev'] },
        labels: { op: 'occupancy_argmax', inputs: ['logits'] },
      },
      'labels',
    );
    const { perCamera, bev, liftSplat } = cutGraph(manifest.graph.operations);
    assert.deepEqual(
      perCamera.map(({ name }) => name),
      ['depth', 'context'],
    );
    assert.deepEqual(
      bev.map(({ name }) => name),
      ['logits'],
    );
    assert.equal(liftSplat?.name, 'bev');
  });
});
