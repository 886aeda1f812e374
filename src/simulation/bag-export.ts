import { completing } from '../atomic-file.js';
import { rosTopic } from '../bag/bag-topic.js';
import { LATCHED_QOS } from '../bag/qos-profiles.js';
import { BagWriter } from '../bag/bag-writer.js';
import type { BagChannel } from '../bag/bag-writer.js';
import { OCC3D_GRID } from '../dataset/occ3d.js';
import { MessageCodec } from '../messages/message-codec.js';
import type { RosMessages, RosTypeName } from '../messages/ros-types.js';
import { timeFromNs } from '../messages/stamp.js';
import {
  BASE_FRAME,
  ODOM_FRAME,
  cameraInfo,
  cameraName,
  groundTruthDetections,
  mountTransforms,
  odometry,
  opticalFrame,
  transformMessage,
} from './drive-messages.js';
import { groundTruthCloud } from './ground-truth-cloud.js';
import { Recording, encodeJpeg } from './recording.js';
import type { ImageSize } from './rig.js';
import type { RigName } from './rig-plans.js';

export interface BagExportOptions {
  /** Path of the `.mcap` file; a file that is there is replaced. */
  readonly out: string;
  readonly seed: number;
  /** Which scene of the seed. */
  readonly index: number;
  /** Default: nuscenes. */
  readonly rig?: RigName;
  /** Seconds. */
  readonly duration: number;
  /** Frames per second. */
  readonly rate: number;
  readonly imageSize: ImageSize;
  readonly samplesPerPixel: number;
  /** Voxels of 0.4 m a side that make one point of the ground truth. */
  readonly voxelFactor: number;
  readonly onProgress?: (frames: number) => void;
}

export interface BagExportResult {
  readonly frames: number;
  readonly seconds: number;
}

/** 2020-09-13T12:26:40Z. */
const EPOCH_NS = 1_600_000_000_000_000_000n;
/** Boxes of which less is in view cannot be asked of a detector. */
const MIN_VISIBILITY = 0.2;

/** A drive through one scene as an MCAP bag of standard ROS 2 messages; src/simulation/README.md lists the topics. */
export async function exportBag(options: BagExportOptions): Promise<BagExportResult> {
  const started = performance.now();
  const recording = new Recording(options);
  const writer = await BagWriter.create(options.out);
  const bag = new DriveBag(writer);
  const frames = Math.max(1, Math.round(options.duration * options.rate));
  await completing(writer, async () => {
    for (let frame = 0; frame < frames; frame++) {
      await writeFrame(bag, recording, frame / options.rate, options.voxelFactor);
      options.onProgress?.(frame + 1);
    }
  });
  return { frames, seconds: (performance.now() - started) / 1000 };
}

/** Messages of known topics into a bag; topics come into being with their first message. */
class DriveBag {
  readonly #writer: BagWriter;
  readonly #codec = new MessageCodec();
  readonly #channels = new Map<string, Promise<BagChannel>>();

  constructor(writer: BagWriter) {
    this.#writer = writer;
  }

  async add<Type extends RosTypeName>(
    topic: string,
    type: Type,
    message: RosMessages[Type],
    stampNs: bigint,
  ): Promise<void> {
    let channel = this.#channels.get(topic);
    if (channel === undefined) {
      const qos = topic === '/tf_static' ? LATCHED_QOS : undefined;
      channel = this.#writer.addTopic(rosTopic(topic, type, qos));
      this.#channels.set(topic, channel);
    }
    await this.#writer.write(await channel, this.#codec.encode(type, message), stampNs);
  }
}

async function writeFrame(
  bag: DriveBag,
  recording: Recording,
  time: number,
  voxelFactor: number,
): Promise<void> {
  const capture = await recording.capture(time);
  const stampNs = EPOCH_NS + BigInt(Math.round(time * 1e9));
  const stamp = timeFromNs(stampNs);
  const odomFromEgo = recording.start.inverse().compose(capture.worldFromEgo);
  if (time === 0) {
    const transforms = mountTransforms(recording.rig, stamp);
    await bag.add('/tf_static', 'tf2_msgs/msg/TFMessage', { transforms }, stampNs);
  }
  const transforms = [transformMessage(stamp, ODOM_FRAME, BASE_FRAME, odomFromEgo)];
  await bag.add('/tf', 'tf2_msgs/msg/TFMessage', { transforms }, stampNs);
  await bag.add('/odom', 'nav_msgs/msg/Odometry', odometry(capture, odomFromEgo, stamp), stampNs);
  const images = await Promise.all(capture.cameras.map(({ camera, image }) => encodeJpeg(image.rgb, camera)));
  for (const [i, { camera }] of capture.cameras.entries()) {
    const namespace = `/camera/${cameraName(camera)}`;
    const image = { header: { stamp, frame_id: opticalFrame(camera) }, format: 'jpeg', data: images[i]! };
    await bag.add(
      `${namespace}/camera_info`,
      'sensor_msgs/msg/CameraInfo',
      cameraInfo(camera, stamp),
      stampNs,
    );
    await bag.add(`${namespace}/image_raw/compressed`, 'sensor_msgs/msg/CompressedImage', image, stampNs);
  }
  const header = { stamp, frame_id: BASE_FRAME };
  const cloud = groundTruthCloud(capture.voxels, OCC3D_GRID, voxelFactor, header);
  await bag.add('/ground_truth/voxels', 'sensor_msgs/msg/PointCloud2', cloud, stampNs);
  const boxes = groundTruthDetections(capture, stamp, MIN_VISIBILITY);
  await bag.add('/ground_truth/detections', 'vision_msgs/msg/Detection3DArray', boxes, stampNs);
}
