import type { IReadable, IWritable } from '@mcap/core';
import { open, type FileHandle } from 'node:fs/promises';
import { AtomicFile } from '../atomic-file.js';
import { BdcError } from '../errors.js';

/** Random access to a file, as MCAP's readers ask for it. */
export class FileReadable implements IReadable {
  readonly #file: FileHandle;
  readonly #size: bigint;

  private constructor(file: FileHandle, size: bigint) {
    this.#file = file;
    this.#size = size;
  }

  /** @throws BdcError `BAG_UNREADABLE` */
  static async open(path: string): Promise<FileReadable> {
    try {
      const file = await open(path, 'r');
      const { size } = await file.stat({ bigint: true });
      return new FileReadable(file, size);
    } catch (cause) {
      throw new BdcError('bag', {
        code: 'BAG_UNREADABLE',
        message: `cannot read bag ${path}: ${(cause as Error).message}`,
        cause,
      });
    }
  }

  size(): Promise<bigint> {
    return Promise.resolve(this.#size);
  }

  /** A new buffer with exactly those bytes. Offsets come from the file itself, so they are checked before memory is asked for. */
  async read(offset: bigint, size: bigint): Promise<Uint8Array> {
    if (offset + size > this.#size) {
      throw new RangeError(
        `bytes ${offset} … ${offset + size} lie beyond the end of the file (${this.#size})`,
      );
    }
    const buffer = new Uint8Array(Number(size));
    let filled = 0;
    while (filled < buffer.length) {
      const { bytesRead } = await this.#file.read(
        buffer,
        filled,
        buffer.length - filled,
        Number(offset) + filled,
      );
      if (bytesRead === 0) throw new RangeError('the file became shorter while it was read');
      filled += bytesRead;
    }
    return buffer;
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

/** A new file for MCAP's writer, which asks where it is. */
export class FileWritable implements IWritable {
  readonly #file: AtomicFile;
  #position = 0n;

  private constructor(file: AtomicFile) {
    this.#file = file;
  }

  /** @throws BdcError `OUTPUT_NOT_WRITABLE` */
  static async create(path: string): Promise<FileWritable> {
    return new FileWritable(await AtomicFile.open(path));
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#file.write(bytes);
    this.#position += BigInt(bytes.length);
  }

  position(): bigint {
    return this.#position;
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  discard(): Promise<void> {
    return this.#file.discard();
  }
}
