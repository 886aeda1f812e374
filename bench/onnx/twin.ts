import type { GraphOperation } from '../../src/engine/manifest.js';
import { floatsOf, type Network } from '../network.js';
import { convolutionWeights } from './convolution-weights.js';
import { OnnxGraph } from './onnx-graph.js';
import { addMaxPool, addResize, addSplit, convolutionAttributes, poolAttributes } from './shared-nodes.js';

export interface TwinInput {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Operations that ONNX has no counterpart for; the twin ends before and goes on after them. */
export const WITHOUT_COUNTERPART: ReadonlySet<string> = new Set(['lift_splat', 'occupancy_argmax']);

/**
 * Translates operations of the model format into an ONNX graph that computes the same with FP32 weights and real activations:
 * `binary_conv2d` becomes Conv with weights ±scale, `sign` disappears.
 */
export class OnnxTwin {
  readonly #network: Network;
  readonly #graph = new OnnxGraph();
  readonly #aliases = new Map<string, string>(); // bits → the real tensor they come from

  constructor(network: Network, inputs: readonly TwinInput[]) {
    this.#network = network;
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
      case 'conv2d':
      case 'binary_conv2d':
        this.#convolution(operation, first, output);
        return;
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
      case 'channel_offset':
        graph.node('Add', inputs, outputs);
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
      case 'split':
        addSplit(graph, operation, first);
        return;
      case 'global_avg_pool2d':
        graph.node('GlobalAveragePool', inputs, outputs);
        return;
      case 'avg_pool2d':
        graph.node('AveragePool', inputs, outputs, poolAttributes(operation));
        return;
      case 'max_pool2d':
        addMaxPool(graph, operation, first);
        return;
      case 'upsample2d':
        addResize(graph, operation, first);
        return;
      default:
        throw new Error(`${name}: no ONNX counterpart for operation '${op}'`);
    }
  }

  #convolution(operation: GraphOperation, input: string, output: string): void {
    const { name } = operation;
    const { dims, data } = convolutionWeights(this.#network, operation);
    const inputs = [input, this.#graph.constant(`${name}/weight`, 'float32', dims, data)];
    if (operation.tensors?.['bias'] !== undefined) {
      const bias = floatsOf(this.#network, operation, 'bias');
      inputs.push(this.#graph.constant(`${name}/bias`, 'float32', [bias.length], bias));
    }
    this.#graph.node('Conv', inputs, [output], convolutionAttributes(operation, dims));
  }
}
