import { BdcError } from '../errors.js';
import { transformsFromMessage } from '../messages/input-messages.js';
import type { TFMessage } from '../messages/ros-types.js';
import type { CameraIntake } from '../perception/camera-intake.js';
import type { NodeSettings } from './node-settings.js';
import type { TypedSubscriptions } from './typed-subscriptions.js';

/** Takes /tf and /tf_static into the intake. */
export function subscribeTransforms(
  subscriptions: TypedSubscriptions,
  qos: NodeSettings['qos'],
  intake: CameraIntake,
): void {
  const type = 'tf2_msgs/msg/TFMessage';
  const take =
    (isStatic: boolean) =>
    (message: TFMessage): void => {
      for (const transform of transformsFromMessage(message)) {
        if (transform instanceof BdcError) intake.reject(transform);
        else intake.addTransform(transform, { isStatic });
      }
    };
  const reject = intake.reject.bind(intake);
  subscriptions.subscribe({ type, topic: '/tf', qos: qos.tf }, take(false), reject);
  subscriptions.subscribe({ type, topic: '/tf_static', qos: qos.tf_static }, take(true), reject);
}
