import { channel } from 'node:diagnostics_channel';
import { setImmediate } from 'node:timers/promises';
import { BdcError } from '../errors.js';
import type { MessageCodec } from '../messages/message-codec.js';
import type { RosMessages, RosTypeName } from '../messages/ros-types.js';
import type { QosTranslator } from './quality-of-service.js';
import type { Node, Subscription } from './rclnodejs-types.js';
import type { TopicQos } from './topic-qos.js';

/** What a message-taken event tells: the bytes are those of the message, not a copy. */
export interface TakenMessage {
  readonly topic: string;
  readonly cdr: Uint8Array;
}

/** For tools that watch the node from inside its process (node:diagnostics_channel): each message as the executor hands it over. */
const taken = channel('bdc_occ.message-taken');

/** A topic that the node listens to, for reports. */
export interface SubscribedTopic {
  /** As the graph has it, namespace and remapping included. */
  readonly topic: string;
  /** As it was asked for. */
  readonly requested: string;
  readonly type: RosTypeName;
  readonly qos: TopicQos;
  /** Publishers whose QoS and type match. */
  readonly publisherCount: number;
}

/**
 * Subscriptions whose messages are decoded here. They come as CDR bytes: that saves rclnodejs's own conversion of every field, and damaged
 * messages can be told from good ones.
 */
export class TypedSubscriptions {
  readonly #node: Node;
  readonly #translator: QosTranslator;
  readonly #codec: MessageCodec;
  readonly #open: {
    readonly subscription: Subscription;
    readonly requested: string;
    readonly type: RosTypeName;
    readonly qos: TopicQos;
  }[] = [];

  constructor(node: Node, translator: QosTranslator, codec: MessageCodec) {
    this.#node = node;
    this.#translator = translator;
    this.#codec = codec;
  }

  get topics(): readonly SubscribedTopic[] {
    return this.#open.map(({ subscription: { topic, publisherCount }, requested, type, qos }) => ({
      topic,
      requested,
      type,
      qos,
      publisherCount,
    }));
  }

  /**
   * @param reject called with the error of a message that cannot be used; other exceptions are defects and leave the callback
   * @throws BdcError `TOPIC_OF_TWO_TYPES`
   */
  subscribe<Name extends RosTypeName>(
    { type, topic, qos }: { readonly type: Name; readonly topic: string; readonly qos: TopicQos },
    take: (message: RosMessages[Name]) => void,
    reject: (error: BdcError) => void,
  ): void {
    const other = this.#open.find(({ requested }) => requested === topic)?.type ?? type;
    if (other !== type) {
      throw new BdcError('configuration', {
        code: 'TOPIC_OF_TWO_TYPES',
        message: `topic ${topic}: expected one type of messages, found ${other} and ${type}; correct the parameter that names it by mistake (…_topic)`,
      });
    }
    const options = { qos: this.#translator.profile(qos), isRaw: true } as const;
    const subscription = this.#node.createSubscription(type, topic, options, (cdr) => {
      if (taken.hasSubscribers) taken.publish({ topic, cdr } satisfies TakenMessage);
      try {
        take(this.#codec.decode(type, cdr));
      } catch (error) {
        if (!(error instanceof BdcError)) throw error;
        reject(error);
      }
    });
    this.#open.push({ subscription, requested: topic, type, qos });
  }

  /** One in a turn of the event loop: each waits for the executor's thread, up to 10 ms. */
  async close(isGraphGone: () => boolean): Promise<void> {
    for (const { subscription } of this.#open.splice(0)) {
      if (isGraphGone()) return;
      this.#node.destroySubscription(subscription);
      await setImmediate();
    }
  }
}
