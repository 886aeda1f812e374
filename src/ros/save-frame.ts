import { homedir } from 'node:os';
import path from 'node:path';
import type { CameraInfo, Header, RosMessages } from '../messages/ros-types.js';
import { timeFromNs } from '../messages/stamp.js';
import type { CameraIntake, RiggedFrame } from '../perception/camera-intake.js';
import type { CameraImage, EgoPose, RigCamera } from '../perception/types.js';
import { writeFrameBag } from './frame-bag.js';
import type { FrameMessage } from './frame-bag.js';

/** Where bags go without the parameter: beside ROS's own logs. */
export const defaultDirectory = (): string =>
  path.join(process.env['ROS_HOME'] ?? path.join(homedir(), '.ros'), 'bdc_occ');

/**
 * Writes a frame as a bag that `bdc-occ replay` and bag players understand: each camera's image and CameraInfo, the transforms of the cameras
 * and of the robot. For bug reports: the bag holds everything that the results depend on but the model and the parameters. The frame's images
 * are read until this resolves.
 *
 * @returns the file that was written
 * @throws BdcError `OUTPUT_NOT_WRITABLE`
 */
export async function saveFrame(
  { frame, rig }: RiggedFrame,
  intake: Pick<CameraIntake, 'calibrationOf'>,
  directory: string,
): Promise<string> {
  const file = path.join(directory, `frame_${frame.stamp}.mcap`);
  const messages: FrameMessage[] = [
    {
      ...{ topic: '/tf_static', type: 'tf2_msgs/msg/TFMessage', isLatched: true },
      message: transformsOf(rig.cameras, rig.baseFrame, intake),
    },
  ];
  if (frame.egoPose) {
    const message = poseOf(frame.egoPose, rig.baseFrame, frame.stamp);
    messages.push({ topic: '/tf', type: 'tf2_msgs/msg/TFMessage', message });
  }
  for (const [i, { name }] of rig.cameras.entries()) {
    const image = frame.images[i];
    const { frameId, info } = intake.calibrationOf(name)!;
    const header = { stamp: timeFromNs(image?.stamp ?? frame.stamp), frame_id: frameId };
    messages.push({
      topic: `/camera/${name}/camera_info`,
      type: 'sensor_msgs/msg/CameraInfo',
      message: infoMessage(info, header),
    });
    if (image !== undefined) messages.push(imageMessage(name, image, header));
  }
  await writeFrameBag(file, frame.stamp, messages);
  return file;
}

function imageMessage(camera: string, image: CameraImage, header: Header): FrameMessage {
  if (image.kind === 'compressed') {
    const format = image.data[0] === 0x89 ? 'png' : 'jpeg';
    return {
      topic: `/camera/${camera}/image_raw/compressed`,
      type: 'sensor_msgs/msg/CompressedImage',
      message: { header, format, data: image.data },
    };
  }
  const { width, height, encoding, step, isBigEndian, data } = image;
  return {
    topic: `/camera/${camera}/image_raw`,
    type: 'sensor_msgs/msg/Image',
    message: { header, width, height, encoding, step, is_bigendian: isBigEndian ? 1 : 0, data },
  };
}

function transformsOf(
  cameras: readonly RigCamera[],
  baseFrame: string,
  intake: Pick<CameraIntake, 'calibrationOf'>,
): RosMessages['tf2_msgs/msg/TFMessage'] {
  return {
    transforms: cameras.map(({ name, baseFromCamera }) => ({
      header: { stamp: { sec: 0, nanosec: 0 }, frame_id: baseFrame },
      child_frame_id: intake.calibrationOf(name)!.frameId,
      transform: transformMessage(baseFromCamera),
    })),
  };
}

const poseOf = (
  { frameId, worldFromBase }: EgoPose,
  baseFrame: string,
  stamp: bigint,
): RosMessages['tf2_msgs/msg/TFMessage'] => ({
  transforms: [
    {
      header: { stamp: timeFromNs(stamp), frame_id: frameId },
      child_frame_id: baseFrame,
      transform: transformMessage(worldFromBase),
    },
  ],
});

function transformMessage({
  translation,
  rotation,
}: EgoPose['worldFromBase']): RosMessages['geometry_msgs/msg/TransformStamped']['transform'] {
  const [tx, ty, tz] = translation;
  const [x, y, z, w] = rotation;
  return { translation: { x: tx, y: ty, z: tz }, rotation: { x, y, z, w } };
}

/** Rectification is not used, so it is written as of an image that is not rectified. */
function infoMessage(
  {
    width,
    height,
    distortion_model,
    d,
    k,
    binning_x = 0,
    binning_y = 0,
    roi,
  }: NonNullable<ReturnType<CameraIntake['calibrationOf']>>['info'],
  header: Header,
): CameraInfo {
  return {
    header,
    width,
    height,
    distortion_model,
    d,
    k,
    r: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    p: [k[0]!, k[1]!, k[2]!, 0, k[3]!, k[4]!, k[5]!, 0, k[6]!, k[7]!, k[8]!, 0],
    binning_x,
    binning_y,
    roi: { x_offset: 0, y_offset: 0, width: 0, height: 0, ...roi, do_rectify: false },
  };
}
