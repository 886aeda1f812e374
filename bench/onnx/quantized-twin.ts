import type { GraphOperation } from '../../src/engine/manifest.js';
import { floatsOf, type Network } from '../network.js';
import { convolutionWeights } from './convolution-weights.js';
import { MICROSOFT, OnnxGraph } from './onnx-graph.js';
import { addMaxPool, addResize, addSplit, convolutionAttributes, poolAttributes } from './shared-nodes.js';
import type { TwinInput } from './twin.js';

/** Largest value that an activation stands for; timing does not depend on it. */
const REACH = 4;
const SCALE = (2 * REACH) / 255;
const ZERO = 128;

/**
 * Translates operations of the model format into an ONNX graph as static quantisation makes it where all of it is 8-bit: unsigned
 * activations of one scale, signed weights with a scale for each output channel, and onnxruntime's own 8-bit operators between the
 * convolutions. Activation functions and batch norms disappear: an 8-bit network has ReLUs, which the saturation of QLinearConv gives for
 * nothing. Softmax and softplus are computed in FP32.
 */
export class QuantizedTwin {
  readonly #network: Network;
  readonly #graph = new OnnxGraph();
  readonly #aliases = new Map<string, string>(); // tensor of the model → 8-bit tensor of the twin
  readonly #steps: readonly [string, string]; // scale and zero point

  constructor(network: Network, inputs: readonly TwinInput[]) {
    this.#network = network;
    const graph = this.#graph;
    this.#steps = [
      graph.constant('activation/scale', 'float32', [], Float32Array.of(SCALE)),
      graph.constant('activation/zero', 'uint8', [], Uint8Array.of(ZERO)),
    ];
    for (const { name, shape } of inputs) {
      graph.input(name, 'float32', shape);
      graph.node('QuantizeLinear', [name, ...this.#steps], [`${name}/u8`]);
      this.#aliases.set(name, `${name}/u8`);
    }
  }

  /** The model file for `operations`, which may use the inputs and each other's outputs; its outputs are u8. */
  translate(operations: readonly GraphOperation[], outputs: readonly string[]): Uint8Array {
    for (const operation of operations) this.#add(operation);
    for (const output of new Set(outputs.map((name) => this.#aliases.get(name) ?? name))) {
      this.#graph.output(output, 'uint8');
    }
    return this.#graph.encode();
  }

  #add(operation: GraphOperation): void {
    const { name, op, outputs } = operation;
    const inputs = operation.inputs.map((input) => this.#aliases.get(input) ?? input);
    const [first = ''] = inputs;
    const [output = ''] = outputs;
    const graph = this.#graph;
    switch (op) {
      case 'sign':
      case 'rprelu':
      case 'prelu':
      case 'relu':
      case 'batch_norm':
        this.#aliases.set(output, first);
        return;
      case 'conv2d':
      case 'binary_conv2d':
        this.#convolution(operation, first, output);
        return;
      case 'sigmoid':
        graph.node('QLinearSigmoid', [first, ...this.#steps, ...this.#steps], outputs, {}, MICROSOFT);
        return;
      case 'softplus':
      case 'softmax':
        this.#inFloat(op === 'softmax' ? 'Softmax' : 'Softplus', first, output);
        return;
      case 'channel_gate':
        this.#pairwise('QLinearMul', inputs, output);
        return;
      case 'channel_offset':
      case 'add':
      case 'average':
        // The mean's division is one more factor of the output's scale.
        this.#pairwise('QLinearAdd', inputs, output);
        return;
      case 'concat':
        graph.node(
          'QLinearConcat',
          [...this.#steps, ...inputs.flatMap((input) => [input, ...this.#steps])],
          outputs,
          { axis: 1 },
          MICROSOFT,
        );
        return;
      case 'split':
        addSplit(graph, operation, first);
        return;
      case 'global_avg_pool2d':
        graph.node(
          'QLinearGlobalAveragePool',
          [first, ...this.#steps, ...this.#steps],
          outputs,
          { channels_last: 0 },
          MICROSOFT,
        );
        return;
      case 'avg_pool2d':
        graph.node(
          'QLinearAveragePool',
          [first, ...this.#steps, ...this.#steps],
          outputs,
          poolAttributes(operation),
          MICROSOFT,
        );
        return;
      case 'max_pool2d':
        addMaxPool(graph, operation, first);
        return;
      case 'upsample2d':
        addResize(graph, operation, first);
        return;
      default:
        throw new Error(`${name}: no 8-bit ONNX counterpart for operation '${op}'`);
    }
  }

  #pairwise(opType: string, inputs: readonly string[], output: string): void {
    let [sum = ''] = inputs;
    inputs.slice(1).forEach((input, i) => {
      const result = i === inputs.length - 2 ? output : `${output}/${i}`;
      const operands = [sum, ...this.#steps, input, ...this.#steps, ...this.#steps];
      this.#graph.node(opType, operands, [result], {}, MICROSOFT);
      sum = result;
    });
    if (inputs.length === 1) this.#aliases.set(output, sum);
  }

  #inFloat(opType: string, input: string, output: string): void {
    this.#graph.node('DequantizeLinear', [input, ...this.#steps], [`${output}/real`]);
    const attributes = opType === 'Softmax' ? { axis: 1 } : {};
    this.#graph.node(opType, [`${output}/real`], [`${output}/result`], attributes);
    this.#graph.node('QuantizeLinear', [`${output}/result`, ...this.#steps], [output]);
  }

  #convolution(operation: GraphOperation, input: string, output: string): void {
    const { name } = operation;
    const graph = this.#graph;
    const { dims, data: weights } = convolutionWeights(this.#network, operation);
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
      input,
      ...this.#steps,
      graph.constant(`${name}/weight`, 'int8', dims, quantized),
      graph.constant(`${name}/weight_scale`, 'float32', [channels], scales),
      graph.constant(`${name}/weight_zero`, 'int8', [channels], new Int8Array(channels)),
      ...this.#steps,
    ];
    if (operation.tensors?.['bias'] !== undefined) {
      const bias = floatsOf(this.#network, operation, 'bias');
      const integers = Int32Array.from(bias, (value, o) => Math.round(value / (SCALE * (scales[o] ?? 1))));
      inputs.push(graph.constant(`${name}/bias`, 'int32', [channels], integers));
    }
    graph.node('QLinearConv', inputs, [output], convolutionAttributes(operation, dims));
  }
}
