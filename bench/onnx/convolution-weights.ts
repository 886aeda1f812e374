import type { GraphOperation } from '../../src/engine/manifest.js';
import { floatsOf, type Network, numbersOf, tensorOf } from '../network.js';

export interface ConvolutionWeights {
  /** `[O, I, kh, kw]` */
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

/** The real weights of a `conv2d`, or those that a `binary_conv2d` or int8 ones stand for. */
export function convolutionWeights(network: Network, operation: GraphOperation): ConvolutionWeights {
  if (operation.op === 'binary_conv2d') return unpackWeights(network, operation);
  const { shape: dims, data } = tensorOf(network, operation, 'weight');
  if (!(data instanceof Int8Array)) return { dims, data: floatsOf(network, operation, 'weight') };
  const scale = floatsOf(network, operation, 'scale');
  const perChannel = data.length / scale.length;
  return {
    dims,
    data: Float32Array.from(data, (value, i) => value * (scale[Math.floor(i / perChannel)] ?? 0)),
  };
}

/** ±1 weights times their scale, `[O, I, kh, kw]`, from the packed `[O, kh, kw, words]`. */
function unpackWeights(network: Network, operation: GraphOperation): ConvolutionWeights {
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
