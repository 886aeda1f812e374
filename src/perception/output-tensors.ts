import type { EngineOutput } from '../engine/types.js';
import { BdcError } from '../errors.js';

/**
 * The data of an output of the network.
 * @throws BdcError `MODEL_OUTPUT_INVALID` if the role is absent, or has another shape or type than the manifest implies
 */
export function outputData<T extends Uint8Array | Float32Array>(
  output: EngineOutput,
  role: string,
  type: (new (length: number) => T) & { readonly name: string },
  shape: readonly number[],
): T {
  const tensor = output.tensors.get(role);
  if (tensor === undefined) {
    throw invalidOutput(role, `is missing; the network has ${[...output.tensors.keys()].join(', ')}`);
  }
  const isSameShape = tensor.shape.length === shape.length && tensor.shape.every((n, i) => n === shape[i]);
  const { data } = tensor;
  if (!isSameShape || data.length !== shape.reduce((a, b) => a * b, 1) || !(data instanceof type)) {
    throw invalidOutput(
      role,
      `must be a ${type.name} [${shape.join(', ')}], found a ${data.constructor.name} [${tensor.shape.join(', ')}] ` +
        `of ${data.length} values`,
    );
  }
  return data;
}

export const invalidOutput = (role: string, found: string): BdcError =>
  new BdcError('model', {
    code: 'MODEL_OUTPUT_INVALID',
    message: `the network's output "${role}" ${found}; the model file does not fit its manifest`,
  });
