import type { QosTranslator } from './quality-of-service.js';
import type { Node } from './rclnodejs-types.js';

/**
 * Has changes of parameters told where everybody listens: rclnodejs publishes them below the node's namespace, while rclcpp and rclpy, and the
 * tools made for them, have one topic for all nodes (rclcpp's quality of service, too).
 */
export function publishParameterEvents(node: Node, translator: QosTranslator): void {
  node.destroyPublisher(node._parameterEventPublisher);
  const qos = translator.profile({ reliability: 'reliable', durability: 'volatile', depth: 1000 });
  node._parameterEventPublisher = node.createPublisher(
    'rcl_interfaces/msg/ParameterEvent',
    '/parameter_events',
    {
      qos,
    },
  );
}
