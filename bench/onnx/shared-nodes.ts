import type { GraphOperation } from '../../src/engine/manifest.js';
import { numbersOf } from '../network.js';
import type { OnnxGraph } from './onnx-graph.js';

/** Operations that are the same nodes in an FP32 and in an 8-bit graph, and attributes that both kinds of a node have. */

export function addSplit(graph: OnnxGraph, operation: GraphOperation, input: string): void {
  const sizes = numbersOf(operation, 'sizes');
  const split = BigInt64Array.from(sizes, BigInt);
  const constant = graph.constant(`${operation.name}/sizes`, 'int64', [sizes.length], split);
  graph.node('Split', [input, constant], operation.outputs, { axis: 1 });
}

export function addResize(graph: OnnxGraph, operation: GraphOperation, input: string): void {
  const [factorH = 1, factorW = factorH] = numbersOf(operation, 'factor');
  const factors = Float32Array.of(1, 1, factorH, factorW);
  const scales = graph.constant(`${operation.name}/scales`, 'float32', [4], factors);
  const bilinear = operation.attributes?.['mode'] === 'bilinear';
  graph.node('Resize', [input, '', scales], operation.outputs, {
    mode: bilinear ? 'linear' : 'nearest',
    coordinate_transformation_mode: bilinear ? 'half_pixel' : 'asymmetric',
    nearest_mode: 'floor',
  });
}

export function poolAttributes(operation: GraphOperation) {
  return { kernel_shape: numbersOf(operation, 'kernel'), strides: numbersOf(operation, 'stride') };
}

/** MaxPool takes real and 8-bit values alike: the order of 8-bit values of one scale is that of what they stand for. */
export function addMaxPool(graph: OnnxGraph, operation: GraphOperation, input: string): void {
  const padding = numbersOf(operation, 'padding');
  graph.node('MaxPool', [input], operation.outputs, {
    ...poolAttributes(operation),
    pads: [...padding, ...padding],
  });
}

/** @param dims of the weights, `[O, I, kh, kw]` */
export function convolutionAttributes(operation: GraphOperation, dims: readonly number[]) {
  const padding = numbersOf(operation, 'padding');
  return {
    kernel_shape: dims.slice(2),
    strides: numbersOf(operation, 'stride'),
    pads: [...padding, ...padding],
    ...(operation.attributes?.['dilation'] !== undefined && { dilations: numbersOf(operation, 'dilation') }),
  };
}
