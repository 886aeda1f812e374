import type { LayerShape } from '../layers.js';
import { MICROSOFT, OnnxGraph } from './onnx-graph.js';

/**
 * `depth` convolutions of a shape with unsigned 8-bit activations and signed 8-bit weights (QLinearConv): the form that onnxruntime runs
 * fastest; with signed activations it is several times slower. Then the mean of each channel.
 */
export function quantizedChain(layer: LayerShape, depth: number): Uint8Array {
  const { kernel, channels, size } = layer;
  const graph = new OnnxGraph();
  const weights = new Int8Array(channels * channels * kernel * kernel);
  for (let i = 0; i < weights.length; i++) weights[i] = (i * 7) % 13 < 6 ? -100 : 100;
  const scale = (name: string, value: number): string =>
    graph.constant(name, 'float32', [], Float32Array.of(value));
  const activationScale = scale('activation_scale', 0.05);
  const weightScale = scale('weight_scale', 0.001);
  const activationZero = graph.constant('activation_zero', 'uint8', [], Uint8Array.of(128));
  const weightZero = graph.constant('weight_zero', 'int8', [], Int8Array.of(0));
  const weight = graph.constant('weight', 'int8', [channels, channels, kernel, kernel], weights);
  const padding = (kernel - 1) / 2;
  let input = graph.input('input', 'uint8', [1, channels, size, size]);
  for (let i = 0; i < depth; i++) {
    const output = `conv${i}`;
    graph.node(
      'QLinearConv',
      [
        input,
        activationScale,
        activationZero,
        weight,
        weightScale,
        weightZero,
        activationScale,
        activationZero,
      ],
      [output],
      { kernel_shape: [kernel, kernel], pads: [padding, padding, padding, padding] },
    );
    input = output;
  }
  const quantization = [activationScale, activationZero];
  graph.node(
    'QLinearGlobalAveragePool',
    [input, ...quantization, ...quantization],
    ['mean'],
    { channels_last: 0 },
    MICROSOFT,
  );
  graph.output('mean', 'uint8');
  return graph.encode();
}
