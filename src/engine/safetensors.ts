import { BdcError } from '../errors.js';

/** A tensor of the file; bytes [begin, end) of the data section. */
export interface TensorEntry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly tensors: readonly TensorEntry[];
  /** Where the data section begins in the file. */
  readonly dataOffset: number;
}

/** Bytes before the header: its length, u64 little endian. */
export const PREFIX_BYTES = 8;
/** safetensors' own limit. */
const MAX_HEADER_BYTES = 100_000_000;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isSizes = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);

const invalidHeader = (message: string): BdcError =>
  new BdcError('model', { code: 'MODEL_HEADER', message: `not a model file: ${message}` });

/**
 * Length of the header in bytes, from the first bytes of a file.
 * @throws BdcError `MODEL_TRUNCATED`, `MODEL_HEADER`
 */
export function headerLength(prefix: Uint8Array, fileBytes: number): number {
  if (prefix.length < PREFIX_BYTES) {
    throw new BdcError('model', {
      code: 'MODEL_TRUNCATED',
      message: `expected a model file of at least ${PREFIX_BYTES} bytes, found ${prefix.length}`,
    });
  }
  const length = Number(new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true));
  if (length < 2 || length > MAX_HEADER_BYTES) {
    throw invalidHeader(`expected a safetensors header of 2…${MAX_HEADER_BYTES} bytes, found ${length}`);
  }
  if (PREFIX_BYTES + length > fileBytes) {
    throw new BdcError('model', {
      code: 'MODEL_TRUNCATED',
      message:
        `expected a header of ${length} bytes, but the file has only ${fileBytes}; ` +
        'it was cut short: fetch it again',
    });
  }
  return length;
}

/** @throws BdcError `MODEL_HEADER` naming the tensor whose description is wrong */
export function parseHeader(header: Uint8Array): SafetensorsHeader {
  let entries: unknown;
  try {
    entries = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(header));
  } catch (cause) {
    throw invalidHeader(`its header is not JSON (${(cause as Error).message})`);
  }
  if (!isRecord(entries)) throw invalidHeader('its header is not a JSON object');
  const { __metadata__: metadata = {}, ...tensors } = entries;
  if (!isRecord(metadata)) throw invalidHeader('its __metadata__ is not a JSON object');
  return {
    metadata,
    tensors: Object.entries(tensors).map(([name, entry]) => parseEntry(name, entry)),
    dataOffset: PREFIX_BYTES + header.length,
  };
}

function parseEntry(name: string, entry: unknown): TensorEntry {
  if (!isRecord(entry)) throw invalidHeader(`tensor "${name}" is not described by an object`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== 'string') throw invalidHeader(`tensor "${name}": dtype must be a string`);
  if (!isSizes(shape)) throw invalidHeader(`tensor "${name}": shape must be a list of sizes`);
  if (!isSizes(offsets) || offsets.length !== 2) {
    throw invalidHeader(`tensor "${name}": data_offsets must be two byte positions`);
  }
  return { name, dtype, shape, begin: offsets[0]!, end: offsets[1]! };
}
