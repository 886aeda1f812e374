import type { McapTypes } from '@mcap/core';
import type { BagTopic } from './bag-topic.js';

/** A topic of a bag that is being read. */
export interface CountedTopic extends BagTopic {
  readonly messageCount: number;
}

/** The two ways of reading an MCAP file. */
export interface MessageSource {
  readonly indexed: boolean;
  readonly warnings: readonly string[];
  /** By MCAP channel id. */
  readonly topics: ReadonlyMap<number, CountedTopic>;
  /** @param topics names; undefined = all */
  read(topics: readonly string[] | undefined): AsyncGenerator<McapTypes.Message>;
}

export function countedTopic(
  channel: McapTypes.Channel,
  schema: McapTypes.Schema | undefined,
  messageCount: number,
): CountedTopic {
  return {
    name: channel.topic,
    type: schema?.name ?? '',
    messageEncoding: channel.messageEncoding,
    schemaEncoding: schema?.encoding ?? '',
    schema: schema?.data ?? new Uint8Array(),
    metadata: channel.metadata,
    messageCount,
  };
}
