import type { McapTypes } from '@mcap/core';
import type { CountedTopic } from './message-source.js';

export const MCAP_REMEDY = '"mcap recover" can save what is readable';

export const countedTopic = (
  channel: McapTypes.Channel,
  schema: McapTypes.Schema | undefined,
  messageCount: number,
): CountedTopic => ({
  name: channel.topic,
  type: schema?.name ?? '',
  messageEncoding: channel.messageEncoding,
  schemaEncoding: schema?.encoding ?? '',
  schema: schema?.data ?? new Uint8Array(),
  metadata: channel.metadata,
  messageCount,
});
