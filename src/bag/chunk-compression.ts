import decompressLz4 from '@foxglove/wasm-lz4';
import {
  compress as compressZstd,
  decompress as decompressZstd,
  isLoaded as zstdLoaded,
} from '@foxglove/wasm-zstd';
import type { McapTypes, McapWriterOptions } from '@mcap/core';

export const COMPRESSIONS = ['none', 'lz4', 'zstd'] as const;
export type Compression = (typeof COMPRESSIONS)[number];

/** Far above any real chunk (rosbag2 writes 0.8–4 MB); a larger size comes from a damaged file. */
const MAX_CHUNK_BYTES = 1n << 30n;

/** Fast: most of a camera bag is JPEG, which no level makes smaller. */
const ZSTD_LEVEL = 1;

/** A chunk that shrinks by less is stored as it is, so that readers need not unpack it. */
const WORTHWHILE = 0.98;

/** For MCAP's readers. Waits until the WebAssembly modules are there. */
export async function decompressHandlers(): Promise<McapTypes.DecompressHandlers> {
  await Promise.all([decompressLz4.isLoaded, zstdLoaded]);
  return {
    lz4: (bytes, size) => decompressLz4(bytes, checkedSize(size)),
    zstd: (bytes, size) => decompressZstd(bytes, checkedSize(size)),
  };
}

/** For MCAP's writer; undefined stores chunks as they are. */
export async function chunkCompressor(compression: Compression): Promise<McapWriterOptions['compressChunk']> {
  if (compression === 'none') return undefined;
  const compress = compression === 'zstd' ? await zstdCompressor() : await lz4Compressor();
  return (chunk) => {
    const compressedData = compress(chunk);
    return compressedData.length < chunk.length * WORTHWHILE
      ? { compression, compressedData }
      : { compression: '', compressedData: chunk };
  };
}

async function zstdCompressor(): Promise<(chunk: Uint8Array) => Uint8Array> {
  await zstdLoaded;
  return (chunk) => compressZstd(chunk, ZSTD_LEVEL);
}

/** Loaded only when asked for: it is a prebuilt addon, which not every platform has. */
async function lz4Compressor(): Promise<(chunk: Uint8Array) => Uint8Array> {
  const { compressFrameSync } = await import('lz4-napi');
  return (chunk) => compressFrameSync(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
}

function checkedSize(size: bigint): number {
  if (size > MAX_CHUNK_BYTES) throw new RangeError(`a chunk of ${size} bytes is too large to be true`);
  return Number(size);
}
