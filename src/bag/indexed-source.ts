import { McapIndexedReader, type IReadable, type McapTypes } from '@mcap/core';
import { countedTopic, MCAP_REMEDY } from './mcap-topic.js';
import type { BagMessage, CountedTopic, MessageSource } from './message-source.js';

/** An MCAP file with chunks and an index of them: messages come in the order of their log time. */
export class IndexedSource implements MessageSource {
  readonly indexed = true;
  readonly warnings: readonly string[] = [];
  readonly remedy = MCAP_REMEDY;
  readonly topics: readonly CountedTopic[];
  readonly close: () => Promise<void>;
  readonly #reader: McapIndexedReader;
  readonly #topicOf: ReadonlyMap<number, CountedTopic>;

  private constructor(
    reader: McapIndexedReader,
    counts: ReadonlyMap<number, bigint>,
    close: () => Promise<void>,
  ) {
    this.#reader = reader;
    this.close = close;
    this.#topicOf = new Map(
      [...reader.channelsById].map(([id, channel]) => [
        id,
        countedTopic(channel, reader.schemasById.get(channel.schemaId), Number(counts.get(id) ?? 0n)),
      ]),
    );
    this.topics = [...this.#topicOf.values()];
  }

  /** Undefined if the file has no index, or one that does not reach every message. */
  static async open(
    readable: IReadable,
    decompressHandlers: McapTypes.DecompressHandlers,
    close: () => Promise<void>,
  ): Promise<IndexedSource | undefined> {
    let reader: McapIndexedReader;
    try {
      reader = await McapIndexedReader.Initialize({ readable, decompressHandlers });
    } catch {
      // no footer, no index or a damaged one: what can be read is read as a stream, which says where it ends
      return undefined;
    }
    const { statistics, chunkIndexes } = reader;
    if (statistics === undefined) return undefined;
    const chunkless = statistics.messageCount > 0n && chunkIndexes.length === 0;
    if (chunkless || chunkIndexes.some(({ messageIndexLength }) => messageIndexLength === 0n))
      return undefined;
    return new IndexedSource(reader, statistics.channelMessageCounts, close);
  }

  async *read(topics: readonly string[] | undefined): AsyncGenerator<BagMessage> {
    for await (const message of this.#reader.readMessages(topics && { topics })) {
      const { channelId, logTime, publishTime, data } = message;
      yield { topic: this.#topicOf.get(channelId)!, logTime, publishTime, data };
    }
  }
}
