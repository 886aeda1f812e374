import { BdcError } from '../errors.js';
import { RigidTransform } from '../geometry/rigid-transform.js';
import type { StampedTransform } from '../geometry/transform-buffer.js';
import type { CameraImage } from '../perception/types.js';
import type { CompressedImage, Image, Odometry, TFMessage, TransformStamped } from './ros-types.js';
import { nsFromTime } from './stamp.js';

/** Checked when it is decoded, in the pipeline: encoding, step and size. */
export function imageFromMessage(message: Image): CameraImage {
  const { header, width, height, encoding, step, is_bigendian, data } = message;
  return {
    kind: 'raw',
    stamp: nsFromTime(header.stamp),
    width,
    height,
    encoding,
    step,
    isBigEndian: is_bigendian !== 0,
    data,
  };
}

export function imageFromCompressedMessage({ header, data }: CompressedImage): CameraImage {
  return { kind: 'compressed', stamp: nsFromTime(header.stamp), data };
}

/** Each transform of a message of /tf or /tf_static, or what is wrong with it (`TRANSFORM_INVALID`). */
export function transformsFromMessage({ transforms }: TFMessage): readonly (StampedTransform | BdcError)[] {
  return transforms.map(transformFromMessage);
}

/**
 * The pose of an odometry message: takes points of its child frame into its frame.
 * @throws BdcError `TRANSFORM_INVALID`
 */
export function poseFromOdometry({ header, child_frame_id, pose }: Odometry): StampedTransform {
  const { position: translation, orientation: rotation } = pose.pose;
  const transform = transformFromMessage({ header, child_frame_id, transform: { translation, rotation } });
  if (transform instanceof BdcError) throw transform;
  return transform;
}

function transformFromMessage(message: TransformStamped): StampedTransform | BdcError {
  const { header, child_frame_id: child, transform } = message;
  const { x, y, z, w } = transform.rotation;
  const { translation } = transform;
  try {
    return {
      parent: header.frame_id,
      child,
      stamp: nsFromTime(header.stamp),
      transform: new RigidTransform([x, y, z, w], [translation.x, translation.y, translation.z]),
    };
  } catch (cause) {
    return new BdcError('transform', {
      code: 'TRANSFORM_INVALID',
      message: `transform of "${child}" in "${header.frame_id}": ${(cause as Error).message}`,
      cause,
    });
  }
}
