import type { QoS, QoSClass, TopicEndpoint } from './rclnodejs-types.js';
import type { TopicQos } from './topic-qos.js';

/** Translates between our names of policies and rclnodejs's numbers. */
export class QosTranslator {
  readonly #class: QoSClass;

  constructor(qosClass: QoSClass) {
    this.#class = qosClass;
  }

  profile({ reliability, durability, depth }: TopicQos): QoS {
    const { HistoryPolicy, ReliabilityPolicy, DurabilityPolicy } = this.#class;
    return new this.#class(
      HistoryPolicy.RMW_QOS_POLICY_HISTORY_KEEP_LAST,
      depth,
      reliability === 'reliable'
        ? ReliabilityPolicy.RMW_QOS_POLICY_RELIABILITY_RELIABLE
        : ReliabilityPolicy.RMW_QOS_POLICY_RELIABILITY_BEST_EFFORT,
      durability === 'transient_local'
        ? DurabilityPolicy.RMW_QOS_POLICY_DURABILITY_TRANSIENT_LOCAL
        : DurabilityPolicy.RMW_QOS_POLICY_DURABILITY_VOLATILE,
    );
  }

  /** Of another node's publisher or subscription; its depth is not told. */
  policiesOf({ qos_profile: { reliability, durability } }: TopicEndpoint): Omit<TopicQos, 'depth'> {
    const { ReliabilityPolicy, DurabilityPolicy } = this.#class;
    return {
      reliability:
        reliability === ReliabilityPolicy.RMW_QOS_POLICY_RELIABILITY_BEST_EFFORT ? 'best_effort' : 'reliable',
      durability:
        durability === DurabilityPolicy.RMW_QOS_POLICY_DURABILITY_TRANSIENT_LOCAL
          ? 'transient_local'
          : 'volatile',
    };
  }
}

type Policies = Omit<TopicQos, 'depth'>;

/** Why a publisher's offer does not do for a subscription's request (DDS 1.4, 2.2.3), or undefined if it does. */
export function incompatibility(offered: Policies, requested: Policies): string | undefined {
  if (requested.reliability === 'reliable' && offered.reliability === 'best_effort') {
    return 'the publisher is best effort, the subscription wants reliable';
  }
  if (requested.durability === 'transient_local' && offered.durability === 'volatile') {
    return 'the publisher is volatile, the subscription wants transient local';
  }
  return undefined;
}
