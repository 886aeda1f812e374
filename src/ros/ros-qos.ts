import type { TopicQos } from '../bag/qos-profiles.js';
import type { QoS, Rclnodejs } from './rclnodejs-types.js';

/** A quality of service in rclnodejs's terms. */
export function rosQos({ QoS }: Pick<Rclnodejs, 'QoS'>, { reliability, durability, depth }: TopicQos): QoS {
  const { HistoryPolicy, ReliabilityPolicy, DurabilityPolicy } = QoS;
  return new QoS(
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
