import type { IReadable } from '@mcap/core';
import { BdcError } from '../errors.js';
import { bagFileOf, requireMcap } from './bag-file.js';
import { decompressHandlers } from './chunk-compression.js';
import { FileReadable } from './file-io.js';
import { IndexedSource } from './indexed-source.js';
import type { CountedTopic, MessageSource } from './message-source.js';
import { StreamSource } from './stream-source.js';

export interface BagMessage {
  readonly topic: CountedTopic;
  /** Nanoseconds: when the recorder received it. */
  readonly logTime: bigint;
  readonly publishTime: bigint;
  readonly data: Uint8Array;
}

/**
 * Reads an MCAP bag. One with an index is read in the order of log time, holding the chunks that overlap in time; one without (cut off
 * while recording, or written without chunks) is scanned once for its topics and then read in the order of the file, as far as it goes.
 */
export class BagReader {
  readonly topics: readonly CountedTopic[];
  readonly messageCount: number;
  readonly #name: string;
  readonly #source: MessageSource;
  readonly #closeInput: () => Promise<void>;

  private constructor(name: string, source: MessageSource, closeInput: () => Promise<void>) {
    this.#name = name;
    this.#source = source;
    this.#closeInput = closeInput;
    this.topics = [...source.topics.values()];
    this.messageCount = this.topics.reduce((sum, { messageCount }) => sum + messageCount, 0);
  }

  /**
   * @param path an MCAP file, or the folder that `ros2 bag record` made around one
   * @throws BdcError `BAG_UNREADABLE`, `BAG_NOT_MCAP`, `BAG_EMPTY` (no message in it), `BAG_SPLIT` (a folder with several files)
   */
  static async open(path: string): Promise<BagReader> {
    const file = await bagFileOf(path);
    const readable = await FileReadable.open(file);
    try {
      return await BagReader.readFrom(readable, file, () => readable.close());
    } catch (error) {
      await readable.close();
      throw error;
    }
  }

  /** @param name goes into error messages */
  static async readFrom(
    readable: IReadable,
    name: string,
    closeInput: () => Promise<void> = () => Promise.resolve(),
  ): Promise<BagReader> {
    await requireMcap(readable, name);
    const decompress = await decompressHandlers();
    const source =
      (await IndexedSource.open(readable, decompress)) ?? (await StreamSource.open(readable, decompress));
    const reader = new BagReader(name, source, closeInput);
    if (reader.messageCount === 0) {
      throw new BdcError('bag', {
        code: 'BAG_EMPTY',
        message: [`bag ${name} has no messages`, ...source.warnings].join('; '),
      });
    }
    return reader;
  }

  /** Whether the bag has an index; without one the order is that of the file. */
  get indexed(): boolean {
    return this.#source.indexed;
  }

  /** What is wrong with the bag though it can be read, one sentence each. */
  get warnings(): readonly string[] {
    return this.#source.warnings;
  }

  /**
   * @param options.topics names; default all
   * @throws BdcError `BAG_DAMAGED` where an indexed bag's content is not what the index says
   */
  async *messages({ topics }: { readonly topics?: readonly string[] } = {}): AsyncGenerator<BagMessage> {
    try {
      for await (const { channelId, logTime, publishTime, data } of this.#source.read(topics)) {
        yield { topic: this.#source.topics.get(channelId)!, logTime, publishTime, data };
      }
    } catch (cause) {
      throw new BdcError('bag', {
        code: 'BAG_DAMAGED',
        message: `bag ${this.#name} is damaged: ${(cause as Error).message}; "mcap recover" can save what is readable`,
        cause,
      });
    }
  }

  close(): Promise<void> {
    return this.#closeInput();
  }
}
