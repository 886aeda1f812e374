import { McapStreamReader, type IReadable, type McapTypes } from '@mcap/core';
import { countedTopic, MCAP_REMEDY } from './mcap-topic.js';
import type { BagMessage, CountedTopic, MessageSource } from './message-source.js';

const BLOCK_BYTES = 1n << 20n;
/** No record is longer; a length above it comes from a damaged file and must not be waited for. */
const MAX_RECORD_BYTES = 1 << 30;

/** An MCAP file read from front to back, as far as it goes. */
export class StreamSource implements MessageSource {
  readonly indexed = false;
  readonly warnings: readonly string[];
  readonly remedy = MCAP_REMEDY;
  readonly topics: readonly CountedTopic[];
  readonly close: () => Promise<void>;
  readonly #topicOf: ReadonlyMap<number, CountedTopic>;
  readonly #records: () => AsyncGenerator<McapTypes.TypedMcapRecord>;

  private constructor({
    topicOf,
    warning,
    records,
    close,
  }: {
    readonly topicOf: ReadonlyMap<number, CountedTopic>;
    readonly warning: string;
    readonly records: () => AsyncGenerator<McapTypes.TypedMcapRecord>;
    readonly close: () => Promise<void>;
  }) {
    this.topics = [...topicOf.values()];
    this.warnings = [warning];
    this.close = close;
    this.#topicOf = topicOf;
    this.#records = records;
  }

  /** Reads the file once, for its topics and for where it ends. */
  static async open(
    readable: IReadable,
    decompressHandlers: McapTypes.DecompressHandlers,
    close: () => Promise<void>,
  ): Promise<StreamSource> {
    const schemas = new Map<number, McapTypes.Schema>();
    const channels = new Map<number, McapTypes.Channel>();
    const counts = new Map<number, number>();
    let end: string | undefined;
    for await (const record of records(readable, decompressHandlers, (reason) => (end = reason))) {
      if (record.type === 'Schema') schemas.set(record.id, record);
      else if (record.type === 'Channel') channels.set(record.id, record);
      else if (record.type === 'Message') {
        counts.set(record.channelId, (counts.get(record.channelId) ?? 0) + 1);
      }
    }
    const read = [...counts.values()].reduce((sum, count) => sum + count, 0);
    const what = end === undefined ? 'has no index' : `is cut or damaged: ${end}`;
    return new StreamSource({
      topicOf: new Map(
        [...channels].map(([id, channel]) => [
          id,
          countedTopic(channel, schemas.get(channel.schemaId), counts.get(id) ?? 0),
        ]),
      ),
      warning: `the bag ${what}; its first ${read} messages are read in the order of the file`,
      records: () => records(readable, decompressHandlers, () => {}),
      close,
    });
  }

  async *read(topics: readonly string[] | undefined): AsyncGenerator<BagMessage> {
    for await (const record of this.#records()) {
      if (record.type !== 'Message') continue;
      const topic = this.#topicOf.get(record.channelId)!;
      const { logTime, publishTime, data } = record;
      if (topics?.includes(topic.name) ?? true) yield { topic, logTime, publishTime, data };
    }
  }
}

/** @param onCut called with the reason if the file does not end as an MCAP file should */
async function* records(
  readable: IReadable,
  decompressHandlers: McapTypes.DecompressHandlers,
  onCut: (reason: string) => void,
): AsyncGenerator<McapTypes.TypedMcapRecord> {
  const stream = new McapStreamReader({ decompressHandlers });
  const size = await readable.size();
  let offset = 0n;
  for (;;) {
    try {
      for (let record = stream.nextRecord(); record; record = stream.nextRecord()) yield record;
    } catch (error) {
      onCut(`${(error as Error).message}, somewhere before byte ${offset} of ${size}`);
      return;
    }
    if (stream.done()) return;
    if (offset === size) {
      onCut(`it ends inside a record, after ${size} bytes`);
      return;
    }
    if (stream.bytesRemaining() > MAX_RECORD_BYTES) {
      onCut(`the record before byte ${offset} says that it has more than ${MAX_RECORD_BYTES} bytes`);
      return;
    }
    const block = size - offset < BLOCK_BYTES ? size - offset : BLOCK_BYTES;
    stream.append(await readable.read(offset, block));
    offset += block;
  }
}
