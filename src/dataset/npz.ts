import { promisify } from 'node:util';
import { crc32, deflateRaw } from 'node:zlib';
import { Zip } from 'fflate';
import type { ZipInputFile } from 'fflate';

const deflate = promisify(deflateRaw);

/** A NumPy array, row-major. */
export interface NumpyArray {
  readonly shape: readonly number[];
  readonly data: Uint8Array | Float32Array;
}

/** NumPy's .npy format 1.0: magic, version, header length, header padded to 64 bytes, data. */
function npy({ shape, data }: NumpyArray): Buffer {
  const tuple = `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;
  const type = data instanceof Float32Array ? '<f4' : '|u1';
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const preamble = 10;
  const padded = Math.ceil((preamble + text.length + 1) / 64) * 64;
  const header = Buffer.alloc(padded, ' ');
  header.write('\x93NUMPY\x01\x00', 'latin1');
  header.writeUInt16LE(padded - preamble, 8);
  header.write(text, preamble, 'latin1');
  header[padded - 1] = 0x0a;
  return Buffer.concat([header, Buffer.from(data.buffer, data.byteOffset, data.byteLength)]);
}

/** The bytes of a deflated .npz file. Compression runs on libuv's threads. Equal input gives equal bytes. */
export async function encodeNpz(arrays: Readonly<Record<string, NumpyArray>>): Promise<Buffer> {
  const entries = await Promise.all(
    Object.entries(arrays).map(async ([name, array]) => {
      const plain = npy(array);
      return { name: `${name}.npy`, plain, packed: await deflate(plain, { level: 6 }) };
    }),
  );
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    const zip = new Zip((error, chunk, final) => {
      if (error) return reject(error);
      chunks.push(chunk);
      if (final) resolve(Buffer.concat(chunks));
    });
    for (const { name, plain, packed } of entries) {
      const file: ZipInputFile = {
        filename: name,
        compression: 8,
        crc: crc32(plain),
        size: plain.length,
        mtime: '1980-01-01T00:00:00',
      };
      zip.add(file);
      file.ondata!(null, packed, true);
    }
    zip.end();
  });
}
