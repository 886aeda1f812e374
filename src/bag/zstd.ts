import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Decompress, decompress } from 'fzstd';

/** A frame of zstd (RFC 8878) begins with these bytes, CDR with a zero: the one cannot be taken for the other. */
const MAGIC = [0x28, 0xb5, 0x2f, 0xfd];

/** A message as it was recorded: rosbag2's compression mode MESSAGE packs each one by itself. */
export const unpackedMessage = (data: Uint8Array): Uint8Array =>
  MAGIC.every((byte, i) => data[i] === byte) ? decompress(data) : data;

/**
 * Unpacks a file piece by piece (compression mode FILE).
 * @throws Error where the data is damaged or cut
 */
export async function unpackFile(from: string, to: string): Promise<void> {
  const output = await open(to, 'w');
  try {
    let pieces: Uint8Array[] = [];
    const stream = new Decompress((piece) => pieces.push(piece));
    const write = async (): Promise<void> => {
      for (const piece of pieces) await output.write(piece);
      pieces = [];
    };
    for await (const piece of createReadStream(from)) {
      stream.push(piece as Buffer);
      await write();
    }
    stream.push(new Uint8Array(), true);
    await write();
  } finally {
    await output.close();
  }
}
