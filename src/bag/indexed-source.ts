import { McapIndexedReader, type IReadable, type McapTypes } from '@mcap/core';
import { countedTopic, type MessageSource } from './message-source.js';

/** An MCAP file with chunks and an index of them: messages come in the order of their log time. */
export class IndexedSource implements MessageSource {
  readonly indexed = true;
  readonly warnings: readonly string[] = [];
  readonly topics: MessageSource['topics'];
  readonly #reader: McapIndexedReader;

  private constructor(reader: McapIndexedReader, counts: ReadonlyMap<number, bigint>) {
    this.#reader = reader;
    this.topics = new Map(
      [...reader.channelsById].map(([id, channel]) => [
        id,
        countedTopic(channel, reader.schemasById.get(channel.schemaId), Number(counts.get(id) ?? 0n)),
      ]),
    );
  }

  /** Undefined if the file has no index, or one that does not reach every message. */
  static async open(
    readable: IReadable,
    decompressHandlers: McapTypes.DecompressHandlers,
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
    return new IndexedSource(reader, statistics.channelMessageCounts);
  }

  read(topics: readonly string[] | undefined): AsyncGenerator<McapTypes.Message> {
    return this.#reader.readMessages(topics && { topics });
  }
}
