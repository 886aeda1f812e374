import type { GraphOperation, ModelManifest } from '../src/engine/manifest.js';

export interface ModelTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int8Array | BigUint64Array;
}

/** A graph of the model format together with its tensors. */
export interface Network {
  readonly manifest: ModelManifest;
  readonly tensors: ReadonlyMap<string, ModelTensor>;
}

/** The tensor that an operation calls `key`. */
export function tensorOf(network: Network, operation: GraphOperation, key: string): ModelTensor {
  const name = operation.tensors?.[key];
  const tensor = name === undefined ? undefined : network.tensors.get(name);
  if (tensor === undefined) throw new Error(`${operation.name} (${operation.op}) has no tensor '${key}'`);
  return tensor;
}

export function floatsOf(network: Network, operation: GraphOperation, key: string): Float32Array {
  const { data } = tensorOf(network, operation, key);
  if (!(data instanceof Float32Array)) throw new Error(`${operation.name}.${key} is not f32`);
  return data;
}

/** A number attribute or a list of them. */
export function numbersOf(operation: GraphOperation, key: string): number[] {
  const value = operation.attributes?.[key];
  const list: unknown[] = Array.isArray(value) ? value : [value];
  return list.map((entry) => {
    if (typeof entry !== 'number') throw new Error(`${operation.name}: attribute '${key}' is not numeric`);
    return entry;
  });
}
