import { setTimeout } from 'node:timers/promises';
import { MessageCodec } from '../../../src/messages/message-codec.js';
import { publishCdr } from '../../../src/ros/publish-cdr.js';
import { QosTranslator } from '../../../src/ros/quality-of-service.js';
import { withNode } from '../../../src/ros/ros-session.js';

/**
 * A process of its own on the graph: offers `/odd` and listens to it with a typed subscription, as applications do. Publishes an empty buffer,
 * then a message that begins in the middle of its memory.
 */
const TYPE = 'sensor_msgs/msg/CompressedImage';
const OFFSET = 3;

await withNode('odd', [], async ({ node, rclnodejs, stop }) => {
  const qos = new QosTranslator(rclnodejs.QoS).profile({
    ...{ reliability: 'reliable', durability: 'transient_local', depth: 1 },
  });
  const typed = { qos, isRaw: false } as unknown as { readonly qos: typeof qos; readonly isRaw: true };
  node.createSubscription(TYPE, '/odd', typed, () => {});
  const publisher = node.createPublisher(TYPE, '/odd', { qos });
  while (publisher.subscriptionCount < 1) await setTimeout(20);
  try {
    publishCdr(publisher, new Uint8Array());
  } catch (error) {
    console.log(`refused: ${String(error)}`);
  }
  const message = new MessageCodec().encode(TYPE, {
    header: { stamp: { sec: 7, nanosec: 8 }, frame_id: 'shifted' },
    format: 'jpeg',
    data: Uint8Array.of(1, 2, 3),
  });
  const memory = new Uint8Array(message.length + 2 * OFFSET).fill(255);
  memory.set(message, OFFSET);
  publishCdr(publisher, memory.subarray(OFFSET, OFFSET + message.length));
  console.log('published');
  await setTimeout(60_000, undefined, { signal: stop });
});
