import type { CameraInfo } from '../geometry/camera-info.js';
import { imageFromCompressedMessage, imageFromMessage } from '../messages/input-messages.js';
import type { Header } from '../messages/ros-types.js';
import type { CameraIntake } from '../perception/camera-intake.js';
import type { CameraImage } from '../perception/types.js';
import type { CameraSettings, NodeSettings } from './node-settings.js';
import type { TypedSubscriptions } from './typed-subscriptions.js';

/** A camera with its calibration, if that comes from a file. */
export interface CalibratedCamera {
  readonly settings: CameraSettings;
  readonly calibration: CameraInfo | undefined;
}

/** Takes images and calibration from the graph into the intake. */
export function subscribeCameras(
  subscriptions: TypedSubscriptions,
  qos: NodeSettings['qos'],
  cameras: readonly CalibratedCamera[],
  intake: CameraIntake,
): void {
  for (const { settings, calibration } of cameras) {
    const { name, imageTopic, infoTopic, transport, opticalFrame } = settings;
    const reject = intake.reject.bind(intake);
    const takeImage = ({ frame_id }: Header, image: CameraImage): void => {
      if (calibration !== undefined) intake.addCameraInfo(name, opticalFrame ?? frame_id, calibration);
      intake.addImage(name, image);
    };
    if (calibration === undefined) {
      subscriptions.subscribe(
        { type: 'sensor_msgs/msg/CameraInfo', topic: infoTopic, qos: qos.camera_info },
        (info) => intake.addCameraInfo(name, opticalFrame ?? info.header.frame_id, info),
        (error) => reject(error, name),
      );
    }
    if (transport === 'raw') {
      subscriptions.subscribe(
        { type: 'sensor_msgs/msg/Image', topic: imageTopic, qos: qos.images },
        (image) => takeImage(image.header, imageFromMessage(image)),
        (error) => reject(error, name),
      );
    } else {
      subscriptions.subscribe(
        { type: 'sensor_msgs/msg/CompressedImage', topic: imageTopic, qos: qos.images },
        (image) => takeImage(image.header, imageFromCompressedMessage(image)),
        (error) => reject(error, name),
      );
    }
  }
}
