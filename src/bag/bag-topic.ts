import { messageDefinitionText } from '../messages/definitions.js';
import type { RosTypeName } from '../messages/ros-types.js';
import { TYPE_HASHES } from '../messages/type-hashes.js';

/** A channel of a bag: all that is needed to write its messages into another bag unchanged. */
export interface BagTopic {
  readonly name: string;
  /** For example `sensor_msgs/msg/Image`. */
  readonly type: string;
  /** `cdr` in all ROS 2 bags. */
  readonly messageEncoding: string;
  readonly schemaEncoding: string;
  readonly schema: Uint8Array;
  readonly metadata: ReadonlyMap<string, string>;
}

/** What a player of the bag should offer. */
export interface TopicQos {
  readonly reliability: 'reliable' | 'best_effort';
  readonly durability: 'volatile' | 'transient_local';
  readonly depth: number;
}

export const RELIABLE_QOS: TopicQos = { reliability: 'reliable', durability: 'volatile', depth: 10 };
/** Late subscribers get the last message: /tf_static, maps. */
export const LATCHED_QOS: TopicQos = { reliability: 'reliable', durability: 'transient_local', depth: 1 };

/** A topic of a type that this project knows, described as rosbag2 describes it. */
export function rosTopic(name: string, type: RosTypeName, qos: TopicQos = RELIABLE_QOS): BagTopic {
  return {
    name,
    type,
    messageEncoding: 'cdr',
    schemaEncoding: 'ros2msg',
    schema: new TextEncoder().encode(messageDefinitionText(type)),
    metadata: new Map([
      ['offered_qos_profiles', offeredQosProfiles(qos)],
      ['topic_type_hash', TYPE_HASHES[type]],
    ]),
  };
}

/**
 * YAML as rosbag2 writes it (rosbag2_storage/src/rosbag2_storage/qos.cpp), in the form of metadata version 8 and before, with the
 * numbers of rmw/types.h: Humble reads only that, later versions both.
 */
function offeredQosProfiles({ reliability, durability, depth }: TopicQos): string {
  const infinite = '{sec: 9223372036, nsec: 854775807}';
  return [
    '- history: 1',
    `  depth: ${depth}`,
    `  reliability: ${reliability === 'reliable' ? 1 : 2}`,
    `  durability: ${durability === 'transient_local' ? 1 : 2}`,
    `  deadline: ${infinite}`,
    `  lifespan: ${infinite}`,
    '  liveliness: 1',
    `  liveliness_lease_duration: ${infinite}`,
    '  avoid_ros_namespace_conventions: false',
  ].join('\n');
}
