import type { GraphOperation } from '../../src/engine/manifest.js';
import { floatsOf, type Network, numbersOf, tensorOf } from '../network.js';
import { OnnxGraph } from './onnx-graph.js';

export interface TwinInput {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Operations that ONNX has no counterpart for; the twin ends before and goes on after them. */
export const WITHOUT_COUNTERPART: ReadonlySet<string> = new Set(['lift_splat', 'occupancy_argmax']);

/** ±1 weights times their scale, `[O, I, kh, kw]`, from the packed `[O, kh, kw, words]`. */
function unpackWeights(network: Network, operation: GraphOperation): { dims: number[]; data: Float32Array } {
  const { shape, data: packed } = tensorOf(network, operation, 'weight');
  const [outChannels = 0, kernelH = 0, kernelW = 0, words = 0] = shape;
  const [inChannels = 0] = numbersOf(operation, 'in_channels');
  const scale = floatsOf(network, operation, 'scale');
  if (!(packed instanceof BigUint64Array)) throw new Error(`${operation.name}.weight is not u64`);
  const bytes = new Uint8Array(packed.buffer, packed.byteOffset, packed.byteLength);
  const taps = kernelH * kernelW;
  const data = new Float32Array(outChannels * inChannels * taps);
  for (let o = 0; o < outChannels; o++) {
    for (let tap = 0; tap < taps; tap++) {
      const first = (o * taps + tap) * words * 8;
      for (let c = 0; c < inChannels; c++) {
        const bit = ((bytes[first + (c >> 3)] ?? 0) >> (c & 7)) & 1;
        data[(o * inChannels + c) * taps + tap] = (bit === 1 ? 1 : -1) * (scale[o] ?? 0);
      }
    }
  }
  return { dims: [outChannels, inChannels, kernelH, kernelW], data };
}

/** Half the width of the values that a convolution's 8-bit input and output stand for; timing does not depend on it. */
const QUANTIZED_REACH = 4;
const ACTIVATION_SCALE = (2 * QUANTIZED_REACH) / 255;
const ACTIVATION_ZERO = 128;

/**
 * Translates operations of the model format into an ONNX graph that computes the same with FP32 weights and real activations:
 * `binary_conv2d` becomes Conv with weights ±scale, `sign` disappears. With `precision` u8, convolutions become QLinearConv with unsigned
 * 8-bit activations and signed 8-bit weights, a scale for each output channel: the form onnxruntime runs fastest. What lies between
 * convolutions stays FP32, as onnxruntime's own static quantisation leaves activations that it has no 8-bit operator for.
 */
export class OnnxTwin {
  readonly #network: Network;
  readonly #graph = new OnnxGraph();
  readonly #aliases = new Map<string, string>(); // bits → the real tensor they come from

  readonly #precision: 'fp32' | 'u8';
  readonly #quantized = new Map<string, string>(); // real tensor → its 8-bit form

  constructor(network: Network, inputs: readonly TwinInput[], precision: 'fp32' | 'u8' = 'fp32') {
    this.#network = network;
    this.#precision = precision;
    for (const { name, shape } of inputs) this.#graph.input(name, 'float32', shape);
  }

  /** The model file for `operations`, which may use the inputs and each other's outputs. */
  translate(operations: readonly GraphOperation[], outputs: readonly string[]): Uint8Array {
    for (const operation of operations) this.#add(operation);
    for (const output of outputs) this.#graph.output(output, 'float32');
    return this.#graph.encode();
  }

  #perChannel(operation: GraphOperation, key: string): string {
    const data = floatsOf(this.#network, operation, key);
    return this.#graph.constant(`${operation.name}/${key}`, 'float32', [data.length, 1, 1], data);
  }

  #add(operation: GraphOperation): void {
    const { name, op, outputs } = operation;
    const inputs = operation.inputs.map((input) => this.#aliases.get(input) ?? input);
    const [first = ''] = inputs;
    const [output = ''] = outputs;
    const graph = this.#graph;
    switch (op) {
      case 'sign':
        this.#aliases.set(output, first);
        return;
      case 'conv2d': {
        const { shape } = tensorOf(this.#network, operation, 'weight');
        this.#convolution(operation, first, output, shape, floatsOf(this.#network, operation, 'weight'));
        return;
      }
      case 'binary_conv2d': {
        const { dims, data } = unpackWeights(this.#network, operation);
        this.#convolution(operation, first, output, dims, data);
        return;
      }
      case 'rprelu':
        graph.node('Add', [first, this.#perChannel(operation, 'bias_in')], [`${name}/shifted`]);
        graph.node('PRelu', [`${name}/shifted`, this.#perChannel(operation, 'slope')], [`${name}/bent`]);
        graph.node('Add', [`${name}/bent`, this.#perChannel(operation, 'bias_out')], [output]);
        return;
      case 'prelu':
        graph.node('PRelu', [first, this.#perChannel(operation, 'slope')], [output]);
        return;
      case 'batch_norm':
        graph.node('Mul', [first, this.#perChannel(operation, 'scale')], [`${name}/scaled`]);
        graph.node('Add', [`${name}/scaled`, this.#perChannel(operation, 'bias')], [output]);
        return;
      case 'relu':
        graph.node('Relu', inputs, outputs);
        return;
      case 'sigmoid':
        graph.node('Sigmoid', inputs, outputs);
        return;
      case 'softplus':
        graph.node('Softplus', inputs, outputs);
        return;
      case 'softmax':
        graph.node('Softmax', inputs, outputs, { axis: 1 });
        return;
      case 'channel_gate':
        graph.node('Mul', inputs, outputs);
        return;
      case 'add':
        graph.node(inputs.length === 2 ? 'Add' : 'Sum', inputs, outputs);
        return;
      case 'average':
        graph.node('Mean', inputs, outputs);
        return;
      case 'concat':
        graph.node('Concat', inputs, outputs, { axis: 1 });
        return;
      case 'split': {
        const sizes = numbersOf(operation, 'sizes');
        const split = BigInt64Array.from(sizes, BigInt);
        const constant = graph.constant(`${name}/sizes`, 'int64', [sizes.length], split);
        graph.node('Split', [first, constant], outputs, { axis: 1 });
        return;
      }
      case 'global_avg_pool2d':
        graph.node('GlobalAveragePool', inputs, outputs);
        return;
      case 'avg_pool2d':
        graph.node('AveragePool', inputs, outputs, {
          kernel_shape: numbersOf(operation, 'kernel'),
          strides: numbersOf(operation, 'stride'),
        });
        return;
      case 'upsample2d': {
        const [factorH = 1, factorW = factorH] = numbersOf(operation, 'factor');
        const scales = graph.constant(
          `${name}/scales`,
          'float32',
          [4],
          Float32Array.of(1, 1, factorH, factorW),
        );
        const bilinear = operation.attributes?.['mode'] === 'bilinear';
        graph.node('Resize', [first, '', scales], outputs, {
          mode: bilinear ? 'linear' : 'nearest',
          coordinate_transformation_mode: bilinear ? 'half_pixel' : 'asymmetric',
          nearest_mode: 'floor',
        });
        return;
      }
      default:
        throw new Error(`${name}: no ONNX counterpart for operation '${op}'`);
    }
  }

  #convolution(
    operation: GraphOperation,
    input: string,
    output: string,
    dims: readonly number[],
    weights: Float32Array,
  ): void {
    if (this.#precision === 'u8') {
      this.#quantizedConvolution(operation, input, output, dims, weights);
      return;
    }
    const { name } = operation;
    const inputs = [input, this.#graph.constant(`${name}/weight`, 'float32', dims, weights)];
    if (operation.tensors?.['bias'] !== undefined) {
      const bias = floatsOf(this.#network, operation, 'bias');
      inputs.push(this.#graph.constant(`${name}/bias`, 'float32', [bias.length], bias));
    }
    const padding = numbersOf(operation, 'padding');
    this.#graph.node('Conv', inputs, [output], {
      kernel_shape: dims.slice(2),
      strides: numbersOf(operation, 'stride'),
      pads: [...padding, ...padding],
    });
  }

  #activationScale(): [string, string] {
    if (!this.#quantized.has('')) {
      this.#graph.constant('activation/scale', 'float32', [], Float32Array.of(ACTIVATION_SCALE));
      this.#graph.constant('activation/zero', 'uint8', [], Uint8Array.of(ACTIVATION_ZERO));
      this.#quantized.set('', '');
    }
    return ['activation/scale', 'activation/zero'];
  }

  #quantizedConvolution(
    operation: GraphOperation,
    input: string,
    output: string,
    dims: readonly number[],
    weights: Float32Array,
  ): void {
    const { name } = operation;
    const graph = this.#graph;
    const [scale, zero] = this.#activationScale();
    let bytes = this.#quantized.get(input);
    if (bytes === undefined) {
      bytes = `${input}/u8`;
      graph.node('QuantizeLinear', [input, scale, zero], [bytes]);
      this.#quantized.set(input, bytes);
    }
    const [channels = 1] = dims;
    const size = weights.length / channels;
    const scales = new Float32Array(channels);
    const quantized = new Int8Array(weights.length);
    for (let o = 0; o < channels; o++) {
      const own = weights.subarray(o * size, (o + 1) * size);
      const largest = own.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0) || 1;
      scales[o] = largest / 127;
      own.forEach((weight, i) => (quantized[o * size + i] = Math.round((127 * weight) / largest)));
    }
    const inputs = [
      bytes,
      scale,
      zero,
      graph.constant(`${name}/weight`, 'int8', dims, quantized),
      graph.constant(`${name}/weight_scale`, 'float32', [channels], scales),
      graph.constant(`${name}/weight_zero`, 'int8', [channels], new Int8Array(channels)),
      scale,
      zero,
    ];
    if (operation.tensors?.['bias'] !== undefined) {
      const bias = floatsOf(this.#network, operation, 'bias');
      const integers = Int32Array.from(bias, (value, o) =>
        Math.round(value / (ACTIVATION_SCALE * (scales[o] ?? 1))),
      );
      inputs.push(graph.constant(`${name}/bias`, 'int32', [channels], integers));
    }
    const padding = numbersOf(operation, 'padding');
    graph.node('QLinearConv', inputs, [`${output}/sum`], {
      kernel_shape: dims.slice(2),
      strides: numbersOf(operation, 'stride'),
      pads: [...padding, ...padding],
    });
    graph.node('DequantizeLinear', [`${output}/sum`, scale, zero], [output]);
  }
}
