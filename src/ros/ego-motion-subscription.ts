import { poseFromOdometry } from '../messages/input-messages.js';
import type { TransformBuffer } from '../geometry/transform-buffer.js';
import { OdometryMotion, TransformMotion } from '../perception/ego-motion.js';
import type { EgoMotionSource } from '../perception/ego-motion.js';
import type { BdcError } from '../errors.js';
import type { NodeSettings } from './node-settings.js';
import type { TypedSubscriptions } from './typed-subscriptions.js';

/** Where the robot's pose comes from, as the parameters say; undefined for `none`. `onPose` is called for each pose of odometry. */
export function egoMotionSource(
  { egoMotion, baseFrame, qos }: NodeSettings,
  subscriptions: TypedSubscriptions,
  transforms: TransformBuffer,
  { onPose, reject }: { readonly onPose: () => void; readonly reject: (error: BdcError) => void },
): EgoMotionSource | undefined {
  const { source, odomTopic, odomFrame, historyNs } = egoMotion;
  switch (source) {
    case 'none':
      return undefined;
    case 'tf':
      return new TransformMotion(transforms, { odom: odomFrame, base: baseFrame });
    case 'odometry': {
      const motion = new OdometryMotion(baseFrame, historyNs);
      subscriptions.subscribe(
        { type: 'nav_msgs/msg/Odometry', topic: odomTopic, qos: qos.odometry },
        (message) => {
          motion.add(poseFromOdometry(message));
          onPose();
        },
        reject,
      );
      return motion;
    }
  }
}
