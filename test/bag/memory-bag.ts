import type { IReadable, IWritable } from '@mcap/core';

/** A bag in memory, for tests: what is written to it can be read from it. */
export class MemoryBag implements IReadable, IWritable {
  bytes: Uint8Array;

  constructor(bytes: Uint8Array = new Uint8Array()) {
    this.bytes = bytes;
  }

  write(more: Uint8Array): Promise<void> {
    this.bytes = Buffer.concat([this.bytes, more]);
    return Promise.resolve();
  }

  position(): bigint {
    return BigInt(this.bytes.length);
  }

  size(): Promise<bigint> {
    return Promise.resolve(this.position());
  }

  read(offset: bigint, size: bigint): Promise<Uint8Array> {
    if (offset + size > this.position()) return Promise.reject(new RangeError('beyond the end'));
    return Promise.resolve(this.bytes.slice(Number(offset), Number(offset + size)));
  }
}
