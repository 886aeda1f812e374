import type { IReadable } from '@mcap/core';
import { BdcError } from '../errors.js';
import { requireMcap } from './bag-file.js';
import { bagFiles } from './bag-folder.js';
import { openMcap } from './mcap-source.js';
import type { BagMessage, CountedTopic, MessageSource } from './message-source.js';
import { openSource } from './open-source.js';
import { SplitSource } from './split-source.js';
import { unpackedMessage } from './zstd.js';

/**
 * Reads a bag of ROS 2: MCAP or SQLite, one file or several, packed or not. One with an index is read in the order of log time, holding the
 * chunks that overlap in time; one without (cut off while recording, or written without chunks) is scanned once for its topics and then read
 * in the order of the file, as far as it goes.
 */
export class BagReader {
  readonly topics: readonly CountedTopic[];
  readonly messageCount: number;
  /** What is wrong with the bag though it can be read, one sentence each. */
  readonly warnings: readonly string[];
  readonly #name: string;
  readonly #source: MessageSource;

  private constructor(name: string, source: MessageSource, warnings: readonly string[]) {
    this.#name = name;
    this.#source = source;
    this.topics = source.topics;
    this.warnings = [...warnings, ...source.warnings];
    this.messageCount = this.topics.reduce((sum, { messageCount }) => sum + messageCount, 0);
    if (this.messageCount > 0) return;
    throw new BdcError('bag', {
      code: 'BAG_EMPTY',
      message: [`bag ${name} has no messages`, ...this.warnings].join('; '),
    });
  }

  /**
   * @param path an MCAP or SQLite file, or the folder that `ros2 bag record` made around such files
   * @throws BdcError `BAG_UNREADABLE`, `BAG_NOT_ROS2`, `BAG_EMPTY` (no message in it), `BAG_FILE_MISSING`, `BAG_DAMAGED`
   */
  static async open(path: string): Promise<BagReader> {
    const { files, warnings } = await bagFiles(path);
    const parts: MessageSource[] = [];
    try {
      for (const file of files) parts.push(await openSource(file));
      return new BagReader(path, parts.length === 1 ? parts[0]! : new SplitSource(parts), warnings);
    } catch (error) {
      for (const part of parts) await part.close();
      throw error;
    }
  }

  /**
   * An MCAP bag that is not a file of its own.
   * @param name goes into error messages
   */
  static async readFrom(readable: IReadable, name: string): Promise<BagReader> {
    await requireMcap(readable, name);
    return new BagReader(name, await openMcap(readable), []);
  }

  /** Whether the bag has an index; without one the order is that of the file. */
  get indexed(): boolean {
    return this.#source.indexed;
  }

  /**
   * @param options.topics names; default all
   * @throws BdcError `BAG_DAMAGED` where the content is not what the index says
   */
  async *messages({ topics }: { readonly topics?: readonly string[] } = {}): AsyncGenerator<BagMessage> {
    try {
      for await (const message of this.#source.read(topics)) {
        yield { ...message, data: unpackedMessage(message.data) };
      }
    } catch (cause) {
      throw new BdcError('bag', {
        code: 'BAG_DAMAGED',
        message: `bag ${this.#name} is damaged: ${(cause as Error).message}; ${this.#source.remedy}`,
        cause,
      });
    }
  }

  close(): Promise<void> {
    return this.#source.close();
  }
}
