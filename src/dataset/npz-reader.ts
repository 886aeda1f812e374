import { promisify } from 'node:util';
import { unzip, type AsyncUnzipOptions, type Unzipped } from 'fflate';

import { BdcError } from '../errors.js';

export interface ByteArray {
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

const unzipAsync = promisify<Uint8Array, AsyncUnzipOptions, Unzipped>(unzip);

/**
 * The named arrays of a `.npz` file of bytes (uint8 or bool, C order), as numpy.savez_compressed writes it.
 *
 * @param path goes into error messages
 * @throws BdcError `DATASET_NPZ_INVALID`
 */
export async function decodeNpz(
  bytes: Uint8Array,
  names: readonly string[],
  path: string,
): Promise<ReadonlyMap<string, ByteArray>> {
  const files = await unzipAsync(bytes, {
    filter: ({ name }) => names.includes(name.replace(/\.npy$/, '')),
  }).catch((cause: unknown) => {
    throw invalid(
      path,
      'expected a zip archive, found one that is damaged or cut; fetch or write the file again',
      cause,
    );
  });
  return new Map(
    names.map((name) => {
      const file = files[`${name}.npy`];
      if (file === undefined)
        throw invalid(path, `expected an array "${name}", found ${Object.keys(files).join(', ') || 'none'}`);
      return [name, decodeNpy(file, `${path}: ${name}`)];
    }),
  );
}

/** NumPy's .npy format: magic, version, header length, a Python dictionary, data. */
function decodeNpy(bytes: Uint8Array, path: string): ByteArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || String.fromCharCode(...bytes.subarray(1, 6)) !== 'NUMPY') {
    throw invalid(path, 'expected a NumPy array');
  }
  const [start, length] = bytes[6] === 1 ? [10, view.getUint16(8, true)] : [12, view.getUint32(8, true)];
  const header = Buffer.from(bytes.subarray(start, start + length)).toString('latin1');
  const type = /'descr': '([^']+)'/.exec(header)?.[1];
  const shape = /'shape': \(([^)]*)\)/
    .exec(header)?.[1]
    ?.split(',')
    .filter((n) => n.trim() !== '')
    .map(Number);
  if (
    type === undefined ||
    shape === undefined ||
    !['|u1', '|b1'].includes(type) ||
    header.includes("'fortran_order': True")
  ) {
    throw invalid(path, `expected uint8 in C order, found ${header.trim()}`);
  }
  const data = bytes.subarray(start + length);
  const size = shape.reduce((product, n) => product * n, 1);
  if (data.length !== size)
    throw invalid(path, `expected ${size} bytes for shape ${shape.join('×')}, found ${data.length}`);
  return { shape, data };
}

function invalid(path: string, what: string, cause?: unknown): BdcError {
  return new BdcError('dataset', { code: 'DATASET_NPZ_INVALID', message: `${path}: ${what}`, cause });
}
