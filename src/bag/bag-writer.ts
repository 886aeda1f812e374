import { McapWriter, type IWritable } from '@mcap/core';
import { chunkCompressor, type Compression } from './chunk-compression.js';
import type { BagTopic } from './bag-topic.js';
import { FileWritable } from './file-io.js';
import { offeredQosProfiles, recordedQos } from './qos-profiles.js';

/** Handle of a topic in one bag. */
export type BagChannel = number & { readonly __brand: 'BagChannel' };

export interface BagWriterOptions {
  /** Of chunks; default zstd. */
  readonly compression?: Compression;
  /** Bytes of messages after which a chunk is closed; default 1 MiB. What a crash can lose, and what a reader holds in memory. */
  readonly chunkSize?: number;
}

/**
 * Makes the qos profiles be read as version 8 of rosbag2's metadata, which is how they are written (rosbag2_storage_mcap,
 * MCAPStorage::read_metadata).
 */
const ROSBAG2_METADATA = { name: 'rosbag2', metadata: new Map([['serialized_metadata', '']]) };

/** Writes an indexed MCAP bag with the `ros2` profile. Calls are put in order by the writer; await them for back-pressure. */
export class BagWriter {
  readonly #mcap: McapWriter;
  readonly #file: FileWritable | undefined;
  readonly #schemaIds = new Map<string, number>();
  readonly #sequences = new Map<BagChannel, number>();
  #last: Promise<unknown> = Promise.resolve();

  private constructor(mcap: McapWriter, file: FileWritable | undefined) {
    this.#mcap = mcap;
    this.#file = file;
  }

  /** Replaces a file that is there, once it is closed. @throws BdcError `OUTPUT_NOT_WRITABLE` */
  static async create(path: string, options?: BagWriterOptions): Promise<BagWriter> {
    const file = await FileWritable.create(path);
    try {
      return await BagWriter.writeTo(file, options, file);
    } catch (error) {
      await file.discard();
      throw error;
    }
  }

  static async writeTo(
    writable: IWritable,
    { compression = 'zstd', chunkSize = 1 << 20 }: BagWriterOptions = {},
    file?: FileWritable,
  ): Promise<BagWriter> {
    const compressChunk = await chunkCompressor(compression);
    const mcap = new McapWriter({ writable, chunkSize, ...(compressChunk && { compressChunk }) });
    await mcap.start({ profile: 'ros2', library: 'bdc_occ' });
    return new BagWriter(mcap, file);
  }

  addTopic(topic: BagTopic): Promise<BagChannel> {
    return this.#inOrder(async () => {
      const channel = (await this.#mcap.registerChannel({
        schemaId: await this.#schemaId(topic),
        topic: topic.name,
        messageEncoding: topic.messageEncoding,
        metadata: readable(topic.metadata),
      })) as BagChannel;
      this.#sequences.set(channel, 0);
      return channel;
    });
  }

  /**
   * @param logTime nanoseconds: when the message was received; players go by it
   * @param publishTime nanoseconds; default `logTime`
   */
  write(channel: BagChannel, data: Uint8Array, logTime: bigint, publishTime = logTime): Promise<void> {
    return this.#inOrder(() => {
      const sequence = this.#sequences.get(channel)!;
      this.#sequences.set(channel, sequence + 1);
      return this.#mcap.addMessage({ channelId: channel, sequence, logTime, publishTime, data });
    });
  }

  /** Writes the index and gives the file its name. @throws BdcError `OUTPUT_NOT_WRITABLE`; then nothing is left of it */
  async close(): Promise<void> {
    try {
      await this.#inOrder(async () => {
        await this.#mcap.addMetadata(ROSBAG2_METADATA);
        await this.#mcap.end();
      });
    } catch (error) {
      await this.discard();
      throw error;
    }
    await this.#file?.close();
  }

  /** Removes what was written; a file that was there before stays. */
  async discard(): Promise<void> {
    await this.#last.catch(() => undefined);
    await this.#file?.discard();
  }

  async #schemaId({ type, schemaEncoding, schema }: BagTopic): Promise<number> {
    const key = `${type}\0${schemaEncoding}\0${new TextDecoder().decode(schema)}`;
    let id = this.#schemaIds.get(key);
    if (id === undefined) {
      id = await this.#mcap.registerSchema({ name: type, encoding: schemaEncoding, data: schema });
      this.#schemaIds.set(key, id);
    }
    return id;
  }

  /** MCAP's writer must not be called before its last call has ended. */
  #inOrder<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result;
    // the caller sees the failure; here it would be reported a second time, as unhandled
    result.catch(() => {});
    return result;
  }
}

/** Copied topics of later versions have the form of version 9. */
function readable(metadata: ReadonlyMap<string, string>): Map<string, string> {
  const qos = recordedQos(metadata.get('offered_qos_profiles'));
  return new Map([...metadata, ...(qos ? [['offered_qos_profiles', offeredQosProfiles(qos)] as const] : [])]);
}
