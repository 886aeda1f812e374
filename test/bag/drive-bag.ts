import sharp from 'sharp';
import { rosTopic, type BagTopic } from '../../src/bag/bag-topic.js';
import { LATCHED_QOS } from '../../src/bag/qos-profiles.js';
import { BagWriter, type BagWriterOptions } from '../../src/bag/bag-writer.js';
import type { IWritable } from '@mcap/core';
import { MessageCodec } from '../../src/messages/message-codec.js';
import type { CameraInfo } from '../../src/messages/ros-types.js';
import { timeFromNs } from '../../src/messages/stamp.js';

export const WIDTH = 64;
export const HEIGHT = 32;
export const START_NS = 1_700_000_000_000_000_000n;
export const PERIOD_NS = 100_000_000n;

export interface Drive {
  readonly cameras?: readonly string[];
  readonly frames?: number;
  readonly calibrated?: boolean;
  readonly transforms?: boolean;
  /** Changes each CameraInfo. */
  readonly info?: (camera: string) => Partial<CameraInfo>;
  /** Bytes of an image message, instead of the right ones; undefined leaves it out. */
  readonly image?: (camera: string, frame: number, right: Uint8Array) => Uint8Array | undefined;
  /** Adds /tf behind the images of each frame: base_link in this frame, driving 1 m a frame. */
  readonly odomFrame?: string;
  /** Adds a message of a type that nobody knows, on /odd. */
  readonly oddTopic?: boolean;
  readonly writer?: BagWriterOptions;
}

export const ODD_TOPIC: BagTopic = {
  name: '/odd',
  type: 'my_msgs/msg/Odd',
  messageEncoding: 'cdr',
  schemaEncoding: 'ros2msg',
  schema: new TextEncoder().encode('int32 x'),
  metadata: new Map([['offered_qos_profiles', '']]),
};

/** A short drive with small grey images: cameras all around, CameraInfo with each image, static transforms at the start. */
export async function writeDrive(
  target: IWritable,
  {
    cameras = ['CAM_FRONT', 'CAM_BACK'],
    frames = 3,
    calibrated = true,
    transforms = true,
    info = () => ({}),
    image = (_camera, _frame, right) => right,
    odomFrame,
    oddTopic = false,
    writer: options,
  }: Drive = {},
): Promise<void> {
  const codec = new MessageCodec();
  const writer = await BagWriter.writeTo(target, options);
  if (transforms) {
    const tf = await writer.addTopic(rosTopic('/tf_static', 'tf2_msgs/msg/TFMessage', LATCHED_QOS));
    await writer.write(
      tf,
      codec.encode('tf2_msgs/msg/TFMessage', { transforms: cameras.map(mount) }),
      START_NS,
    );
  }
  if (oddTopic) {
    await writer.write(await writer.addTopic(ODD_TOPIC), Uint8Array.of(0, 1, 0, 0, 7, 0, 0, 0), START_NS);
  }
  const channels = await Promise.all(
    cameras.map(async (camera) => ({
      camera,
      image: await writer.addTopic(
        rosTopic(`/${camera}/image_raw/compressed`, 'sensor_msgs/msg/CompressedImage'),
      ),
      info: calibrated
        ? await writer.addTopic(rosTopic(`/${camera}/camera_info`, 'sensor_msgs/msg/CameraInfo'))
        : undefined,
    })),
  );
  const moving = odomFrame && (await writer.addTopic(rosTopic('/tf', 'tf2_msgs/msg/TFMessage')));
  const jpeg = await sharp({
    create: { width: WIDTH, height: HEIGHT, channels: 3, background: { r: 90, g: 120, b: 100 } },
  })
    .jpeg()
    .toBuffer();
  for (let frame = 0; frame < frames; frame++) {
    const stampNs = START_NS + BigInt(frame) * PERIOD_NS;
    for (const { camera, ...channel } of channels) {
      const header = { stamp: timeFromNs(stampNs), frame_id: `${camera}_optical` };
      const right = codec.encode('sensor_msgs/msg/CompressedImage', { header, format: 'jpeg', data: jpeg });
      const bytes = image(camera, frame, right);
      // the calibration comes behind the image, as drivers may send it
      if (bytes !== undefined) await writer.write(channel.image, bytes, stampNs);
      if (channel.info === undefined) continue;
      const calibration = { ...pinhole, header, ...info(camera) };
      await writer.write(channel.info, codec.encode('sensor_msgs/msg/CameraInfo', calibration), stampNs);
    }
    if (moving) {
      const pose = {
        header: { stamp: timeFromNs(stampNs), frame_id: odomFrame },
        child_frame_id: 'base_link',
        transform: { translation: { x: frame, y: 0, z: 0 }, rotation: { x: 0, y: 0, z: 0, w: 1 } },
      };
      await writer.write(moving, codec.encode('tf2_msgs/msg/TFMessage', { transforms: [pose] }), stampNs);
    }
  }
  await writer.close();
}

const pinhole: Omit<CameraInfo, 'header'> = {
  height: HEIGHT,
  width: WIDTH,
  distortion_model: 'plumb_bob',
  d: [0, 0, 0, 0, 0],
  k: [40, 0, 31.5, 0, 40, 15.5, 0, 0, 1],
  r: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  p: [40, 0, 31.5, 0, 0, 40, 15.5, 0, 0, 0, 1, 0],
  binning_x: 0,
  binning_y: 0,
  roi: { x_offset: 0, y_offset: 0, height: 0, width: 0, do_rectify: false },
};

/** Optical frames 1.5 m above the ground, evenly around. */
function mount(camera: string, i: number, { length }: readonly string[]) {
  const yaw = (2 * Math.PI * i) / length - Math.PI / 2;
  // about z by yaw, then about x by −90°: z of the optical frame looks along the heading
  const [s, c, h] = [Math.sin(yaw / 2), Math.cos(yaw / 2), Math.SQRT1_2];
  return {
    header: { stamp: timeFromNs(START_NS), frame_id: 'base_link' },
    child_frame_id: `${camera}_optical`,
    transform: {
      translation: { x: 0, y: 0, z: 1.5 },
      rotation: { x: -c * h, y: -s * h, z: s * h, w: c * h },
    },
  };
}
