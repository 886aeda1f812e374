import { BdcError } from '../errors.js';
import { checkOutputs } from './output-roles.js';
import { resolveOptions } from './engine-options.js';
import type { ModelManifest } from './manifest.js';
import { readModelFile, type ModelFile } from './model-file.js';
import { fromNativeError, nativeApi, type NativeModel } from './native.js';
import { NetworkEngine } from './network-engine.js';
import type { EngineOptions } from './types.js';

/**
 * Reads a model file, checks all of it and makes it ready to run.
 * @throws BdcError of kind `model` naming what is wrong with the file, `configuration` for an option or environment
 *   variable, `environment` where the native addon is missing
 */
export async function loadEngine(path: string, options: EngineOptions = {}): Promise<NetworkEngine> {
  const resolved = resolveOptions(options);
  const api = nativeApi();
  const file = await readModelFile(path);
  try {
    const native = await api.load(file.bytes, toNativeModel(file, options.logits ?? true), resolved);
    const engine = new NetworkEngine(api, native, file.manifest, resolved.mode);
    try {
      checkOutputs(file.manifest, native.outputs);
    } catch (error) {
      engine.dispose();
      throw error;
    }
    return engine;
  } catch (error) {
    throw naming(path, error);
  }
}

/** Native errors of the model say which file; an attribute of a type that no operation has is the manifest's fault. */
function naming(path: string, error: unknown): unknown {
  const fault =
    error instanceof TypeError
      ? new BdcError('model', { code: 'MODEL_MANIFEST', message: error.message })
      : fromNativeError(error);
  if (!(fault instanceof BdcError) || fault.kind !== 'model') return fault;
  return new BdcError('model', { code: fault.code, message: `${path}: ${fault.message}`, cause: error });
}

function toNativeModel({ header, manifest }: ModelFile, logits: boolean): NativeModel {
  const { graph, input, grid } = manifest;
  const isWanted = (role: string): boolean =>
    logits || role !== 'occupancy_logits' || graph.outputs['occupancy_labels'] === undefined;
  return {
    dataOffset: header.dataOffset,
    tensors: header.tensors,
    inputs: graph.inputs.map(({ name, shape }) => ({ name, shape: batchZero(shape) })),
    operations: graph.operations,
    outputs: Object.entries(graph.outputs)
      .filter(([role]) => isWanted(role))
      .map(([role, tensor]) => ({ role, tensor })),
    images: { width: input.width, height: input.height, mean: input.mean, std: input.std },
    grid,
    cameras: input.cameras,
  };
}

function batchZero(shape: ModelManifest['graph']['inputs'][number]['shape']): number[] {
  return shape.map((size, axis) => {
    if (size !== 'cameras') return size;
    if (axis === 0) return 0;
    throw new TypeError(`graph.inputs: "cameras" may only be the first size, found [${shape.join(', ')}]`);
  });
}
