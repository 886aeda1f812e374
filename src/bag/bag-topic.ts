import { messageDefinitionText } from '../messages/definitions.js';
import type { RosTypeName } from '../messages/ros-types.js';
import { TYPE_HASHES } from '../messages/type-hashes.js';
import { offeredQosProfiles, RELIABLE_QOS, type TopicQos } from './qos-profiles.js';

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

/** The definition of a type that this project knows, with those that it is made of; undefined for others. */
export const definitionOf = (type: string): string | undefined =>
  Object.hasOwn(TYPE_HASHES, type) ? messageDefinitionText(type) : undefined;
