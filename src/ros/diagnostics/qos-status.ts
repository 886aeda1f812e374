import type { PublishedTopic } from '../outputs/output-publishers.js';
import { incompatibility } from '../quality-of-service.js';
import type { QosTranslator } from '../quality-of-service.js';
import type { Node, TopicEndpoint } from '../rclnodejs-types.js';
import type { SubscribedTopic } from '../typed-subscriptions.js';
import { OK, WARN } from './status.js';
import type { ComponentStatus } from './status.js';

/** rmw_dds_common's name of a node that it has not heard of yet. */
const UNKNOWN_NODE = '_NODE_NAME_UNKNOWN_';

/**
 * Whether everybody at the other end of the node's topics can be heard and can hear: looked up in the graph, since rclnodejs tells nothing of
 * ends that do not match.
 */
export function qosStatus(
  node: Node,
  translator: QosTranslator,
  {
    subscribed,
    published,
  }: { readonly subscribed: readonly SubscribedTopic[]; readonly published: readonly PublishedTopic[] },
): ComponentStatus {
  const faults: Record<string, string> = {};
  const note = (topic: string, end: TopicEndpoint, why: string): void => {
    // discovered, but its node is not yet: next time
    if (end.node_name === UNKNOWN_NODE) return;
    const name = `${end.node_namespace}/${end.node_name}`.replaceAll('//', '/');
    faults[`${topic} ${name}`] = why;
  };
  for (const { topic, type, qos } of subscribed) {
    for (const end of node.getPublishersInfoByTopic(topic)) {
      const why =
        end.topic_type === type
          ? incompatibility(translator.policiesOf(end), qos)
          : `it publishes ${end.topic_type}, expected ${type}`;
      if (why !== undefined) note(topic, end, why);
    }
  }
  for (const { topic, type, qos } of published) {
    for (const end of node.getSubscriptionsInfoByTopic(topic)) {
      const why =
        end.topic_type === type
          ? incompatibility(qos, translator.policiesOf(end))
          : `it subscribes ${end.topic_type}, published is ${type}`;
      if (why !== undefined) note(topic, end, why);
    }
  }
  const found = Object.entries(faults);
  if (found.length === 0) return { component: 'topics', level: OK, message: 'all ends match' };
  return {
    component: 'topics',
    level: WARN,
    message: `${found.length} ends do not match: ${found.map(([end, why]) => `${end}: ${why}`).join('; ')}`,
    cause: Object.keys(faults).join(' '),
    values: faults,
  };
}
