import { BdcError } from '../errors.js';
import {
  imageFromCompressedMessage,
  imageFromMessage,
  transformsFromMessage,
} from '../messages/input-messages.js';
import type { MessageCodec } from '../messages/message-codec.js';
import type { RosMessages, RosTypeName } from '../messages/ros-types.js';
import type { CameraIntake } from '../perception/camera-intake.js';
import type { CameraSettings } from './node-settings.js';
import type { QosProfiles } from './quality-of-service.js';
import type { Node, QoS, Subscription } from './rclnodejs-types.js';

/** One camera's subscriptions. */
export interface CameraSubscription {
  readonly camera: string;
  readonly image: Subscription;
  readonly info: Subscription;
}

export interface CameraSubscriptionOptions {
  readonly node: Node;
  readonly qos: QosProfiles;
  readonly cameras: readonly CameraSettings[];
  readonly codec: MessageCodec;
  readonly intake: CameraIntake;
}

/**
 * Takes images, calibration and transforms from the graph into the intake. Messages come as CDR bytes: that saves rclnodejs's own
 * conversion of every field, and damaged ones can be told from good ones.
 */
export function subscribeCameras({
  node,
  qos,
  cameras,
  codec,
  intake,
}: CameraSubscriptionOptions): readonly CameraSubscription[] {
  const subscribe = <Name extends RosTypeName>(
    {
      type,
      topic,
      qos: profile,
      camera,
    }: { readonly type: Name; readonly topic: string; readonly qos: QoS; readonly camera?: string },
    take: (message: RosMessages[Name]) => void,
  ): Subscription =>
    node.createSubscription(type, topic, { qos: profile, isRaw: true }, (cdr) => {
      try {
        take(codec.decode(type, cdr));
      } catch (error) {
        if (!(error instanceof BdcError)) throw error;
        intake.reject(error, camera);
      }
    });

  subscribe(
    { type: 'tf2_msgs/msg/TFMessage', topic: '/tf', qos: qos.transforms },
    takeTransforms(intake, false),
  );
  subscribe(
    { type: 'tf2_msgs/msg/TFMessage', topic: '/tf_static', qos: qos.staticTransforms },
    takeTransforms(intake, true),
  );
  return cameras.map(({ name: camera, imageTopic, infoTopic, transport }) => ({
    camera,
    info: subscribe(
      { type: 'sensor_msgs/msg/CameraInfo', topic: infoTopic, qos: qos.sensorData, camera },
      (info) => intake.addCameraInfo(camera, info.header.frame_id, info),
    ),
    image:
      transport === 'raw'
        ? subscribe(
            { type: 'sensor_msgs/msg/Image', topic: imageTopic, qos: qos.sensorData, camera },
            (image) => intake.addImage(camera, imageFromMessage(image)),
          )
        : subscribe(
            { type: 'sensor_msgs/msg/CompressedImage', topic: imageTopic, qos: qos.sensorData, camera },
            (image) => intake.addImage(camera, imageFromCompressedMessage(image)),
          ),
  }));
}

const takeTransforms =
  (intake: CameraIntake, isStatic: boolean) =>
  (message: RosMessages['tf2_msgs/msg/TFMessage']): void => {
    for (const transform of transformsFromMessage(message)) {
      if (transform instanceof BdcError) intake.reject(transform);
      else intake.addTransform(transform, { isStatic });
    }
  };
