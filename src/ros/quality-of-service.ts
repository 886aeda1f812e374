import type { QoS, Rclnodejs } from './rclnodejs-types.js';

/** The profiles in use. All keep the last messages only: nothing may queue up behind a slow receiver. */
export interface QosProfiles {
  /** Images and CameraInfo: takes from reliable and best-effort publishers alike; a lost image is not worth waiting for. */
  readonly sensorData: QoS;
  /** As tf2 subscribes: deep, since one publisher may send a whole robot's joints one message each. */
  readonly transforms: QoS;
  /** Also delivers what was published before we joined. */
  readonly staticTransforms: QoS;
  readonly results: QoS;
  /** Map-like results: Nav2's static layer and RViz get the last one when they join. */
  readonly latchedResults: QoS;
}

export function qosProfiles({ QoS }: Pick<Rclnodejs, 'QoS'>): QosProfiles {
  const { RMW_QOS_POLICY_HISTORY_KEEP_LAST: keepLast } = QoS.HistoryPolicy;
  const {
    RMW_QOS_POLICY_RELIABILITY_RELIABLE: reliable,
    RMW_QOS_POLICY_RELIABILITY_BEST_EFFORT: bestEffort,
  } = QoS.ReliabilityPolicy;
  const { RMW_QOS_POLICY_DURABILITY_VOLATILE: volatile, RMW_QOS_POLICY_DURABILITY_TRANSIENT_LOCAL: latched } =
    QoS.DurabilityPolicy;
  return {
    sensorData: new QoS(keepLast, 5, bestEffort, volatile),
    transforms: new QoS(keepLast, 100, reliable, volatile),
    staticTransforms: new QoS(keepLast, 100, reliable, latched),
    results: new QoS(keepLast, 1, reliable, volatile),
    latchedResults: new QoS(keepLast, 1, reliable, latched),
  };
}
