import type { IReadable } from '@mcap/core';
import { decompressHandlers } from './chunk-compression.js';
import { IndexedSource } from './indexed-source.js';
import type { MessageSource } from './message-source.js';
import { StreamSource } from './stream-source.js';

/** An MCAP file: by its index where it has one, else from front to back. */
export async function openMcap(
  readable: IReadable,
  close: () => Promise<void> = () => Promise.resolve(),
): Promise<MessageSource> {
  const decompress = await decompressHandlers();
  return (
    (await IndexedSource.open(readable, decompress, close)) ??
    (await StreamSource.open(readable, decompress, close))
  );
}
