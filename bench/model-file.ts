import { readModelFile } from '../src/engine/model-file.js';
import { PREFIX_BYTES } from '../src/engine/safetensors.js';
import type { ModelTensor, Network } from './network.js';

function dtypeOf({ data }: ModelTensor): 'F32' | 'I8' | 'U64' {
  if (data instanceof Float32Array) return 'F32';
  return data instanceof Int8Array ? 'I8' : 'U64';
}

/**
 * Bytes of a model file (docs/model-format.md) that holds the network. The tensors lie close together and in order, as safetensors asks;
 * those of 8-byte values come first so that each is aligned.
 */
export function encodeModelFile({ manifest, tensors }: Network): Uint8Array {
  const entries: Record<string, unknown> = { __metadata__: { manifest: JSON.stringify(manifest) } };
  let size = 0;
  const byAlignment = [...tensors].sort(
    ([, a], [, b]) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT,
  );
  const placed = byAlignment.map(([name, tensor]) => {
    const begin = size;
    size += tensor.data.byteLength;
    entries[name] = { dtype: dtypeOf(tensor), shape: tensor.shape, data_offsets: [begin, size] };
    return { begin, data: tensor.data };
  });
  const json = JSON.stringify(entries);
  const header = new TextEncoder().encode(json.padEnd(json.length + 8 - (json.length % 8)));
  const file = new Uint8Array(PREFIX_BYTES + header.length + size);
  new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
  file.set(header, PREFIX_BYTES);
  for (const { begin, data } of placed) {
    file.set(
      new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
      PREFIX_BYTES + header.length + begin,
    );
  }
  return file;
}

/** The network that a model file holds. @throws BdcError of kind `model` */
export async function readNetwork(path: string): Promise<Network> {
  const { bytes, header, manifest } = await readModelFile(path);
  const tensors = header.tensors.map(({ name, dtype, shape, begin, end }): [string, ModelTensor] => {
    const { buffer } = new Uint8Array(bytes.subarray(header.dataOffset + begin, header.dataOffset + end));
    if (dtype === 'F32') return [name, { shape, data: new Float32Array(buffer) }];
    if (dtype === 'I8') return [name, { shape, data: new Int8Array(buffer) }];
    if (dtype === 'U64') return [name, { shape, data: new BigUint64Array(buffer) }];
    throw new Error(`${path}: tensor ${name} has type ${dtype}, which no operation takes`);
  });
  return { manifest, tensors: new Map(tensors) };
}
