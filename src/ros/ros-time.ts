import type { MessageCodec } from '../messages/message-codec.js';
import { nsFromTime } from '../messages/stamp.js';
import type { QosTranslator } from './quality-of-service.js';
import type { Node } from './rclnodejs-types.js';

const CLOCK = 'rosgraph_msgs/msg/Clock';

/** The time that stamps are in: of this machine, or /clock with use_sim_time. */
export class RosTime {
  readonly #node: Node;
  #lastClockNs: bigint | undefined;

  /** @param onBackwardJump /clock went back by more than a second (a bag that loops); `fromNs` is what it told before */
  constructor(
    node: Node,
    {
      translator,
      codec,
      onBackwardJump,
    }: {
      readonly translator: QosTranslator;
      readonly codec: MessageCodec;
      readonly onBackwardJump: (fromNs: bigint) => void;
    },
  ) {
    this.#node = node;
    const { _timeSource: source } = node;
    // rclnodejs subscribes /clock reliably, and hears nothing of players that publish it with best effort, as rosbag2 does
    const qos = translator.profile({ reliability: 'best_effort', durability: 'volatile', depth: 1 });
    source._subscribeToClockTopic = () => {
      source._clockSubscription ??= node.createSubscription(CLOCK, '/clock', { qos, isRaw: true }, (cdr) => {
        const message = codec.decode(CLOCK, cdr);
        const now = nsFromTime(message.clock);
        const before = this.#lastClockNs ?? now;
        this.#lastClockNs = now;
        source._clockCallback(message);
        if (before - now > 1_000_000_000n) onBackwardJump(before);
      });
    };
    if (source._clockSubscription === undefined) return;
    node.destroySubscription(source._clockSubscription);
    source._clockSubscription = undefined;
    source._subscribeToClockTopic();
  }

  get isSimulated(): boolean {
    return this.#node._timeSource.isRosTimeActive;
  }

  /** Nanoseconds; 0 with use_sim_time until the first /clock. */
  get nowNs(): bigint {
    return this.#node.getClock().now().nanoseconds;
  }
}
