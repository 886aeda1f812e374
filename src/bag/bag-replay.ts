import { BdcError } from '../errors.js';
import { TransformBuffer } from '../geometry/transform-buffer.js';
import {
  imageFromCompressedMessage,
  imageFromMessage,
  transformsFromMessage,
} from '../messages/input-messages.js';
import { MessageCodec } from '../messages/message-codec.js';
import { rectifiedCameraInfo } from '../messages/rectified-camera-info.js';
import { TransformMotion } from '../perception/ego-motion.js';
import { CameraIntake, type IntakeStatistics, type RiggedFrame } from '../perception/camera-intake.js';
import { findTransformTopics, type BagCamera } from './camera-topics.js';
import type { BagReader } from './bag-reader.js';
import type { BagMessage } from './message-source.js';

export interface BagReplayOptions {
  readonly reader: BagReader;
  readonly cameras: readonly BagCamera[];
  /** Name of one of them. */
  readonly anchor: string;
  readonly baseFrame: string;
  /** How far images of one frame may be apart, in milliseconds. */
  readonly maxSpreadMs: number;
  /** The fixed frame, for a network that needs the robot's pose with each frame: looked up in the transforms, which frames wait for. */
  readonly odomFrame?: string;
}

/** What comes out of a bag: each of its messages, followed by the frames that it completed. */
export interface ReplayStep {
  /** Undefined at the end of the bag, where frames that still waited come out. */
  readonly message: BagMessage | undefined;
  readonly frames: readonly RiggedFrame[];
}

/**
 * Plays a bag into the same intake as the node's, as fast as the frames are taken: no clock, no dropped frames, the same result each
 * time. Calibration and static transforms are looked up before the start, so that the first frames have them.
 */
export class BagReplay {
  readonly #reader: BagReader;
  readonly #codec = new MessageCodec();
  readonly #intake: CameraIntake;
  /** By topic. */
  readonly #handlers = new Map<string, (data: Uint8Array) => void>();
  readonly #cameraOf = new Map<string, string>();
  readonly #infoTopics: ReadonlySet<string>;
  readonly #staticTopics: readonly string[];
  #frames: RiggedFrame[] = [];

  constructor({ reader, cameras, odomFrame, ...intake }: BagReplayOptions) {
    this.#reader = reader;
    const transforms = new TransformBuffer();
    this.#intake = new CameraIntake({
      ...intake,
      cameras: cameras.map(({ name }) => name),
      transforms,
      ...(odomFrame !== undefined && {
        egoMotion: new TransformMotion(transforms, { odom: odomFrame, base: intake.baseFrame }),
      }),
      maxWaitMs: Infinity,
      onFrame: (frame) => this.#frames.push(frame),
    });
    for (const camera of cameras) this.#handleCamera(camera);
    this.#infoTopics = new Set(cameras.map(({ infoTopic }) => infoTopic));
    const { dynamic, fixed } = findTransformTopics(reader.topics);
    this.#staticTopics = fixed;
    for (const topic of dynamic) this.#handleTransforms(topic, false);
    for (const topic of fixed) this.#handleTransforms(topic, true);
  }

  get statistics(): IntakeStatistics {
    return this.#intake.statistics;
  }

  /** @throws BdcError `BAG_DAMAGED` */
  async *steps(): AsyncGenerator<ReplayStep> {
    await this.#lookAhead();
    for await (const message of this.#reader.messages()) {
      this.#play(message);
      yield { message, frames: this.#takeFrames() };
    }
    this.#intake.flush();
    yield { message: undefined, frames: this.#takeFrames() };
  }

  /** The first CameraInfo of each camera and the first static transform of each frame, wherever they are in the bag. */
  async #lookAhead(): Promise<void> {
    const missing = new Set(this.#infoTopics);
    for await (const message of this.#reader.messages({ topics: [...missing] })) {
      if (missing.delete(message.topic.name)) errorOf(() => this.#handle(message));
      if (missing.size === 0) break;
    }
    const known = new Set<string>();
    for await (const { data } of this.#reader.messages({ topics: this.#staticTopics })) {
      errorOf(() => {
        for (const transform of this.#transformsOf(data)) {
          if (transform instanceof BdcError || known.has(transform.child)) continue;
          known.add(transform.child);
          this.#intake.addTransform(transform, { isStatic: true });
        }
      });
    }
  }

  /** A message that cannot be read is counted; the others go on. */
  #play(message: BagMessage): void {
    const error = errorOf(() => this.#handle(message));
    if (error !== undefined) this.#intake.reject(error, this.#cameraOf.get(message.topic.name));
  }

  #handle({ topic, data }: BagMessage): void {
    this.#handlers.get(topic.name)?.(data);
  }

  #handleCamera({ name, imageTopic, imageType, infoTopic, isRectified }: BagCamera): void {
    this.#cameraOf.set(infoTopic, name).set(imageTopic, name);
    this.#handlers.set(infoTopic, (data) => {
      const info = this.#codec.decode('sensor_msgs/msg/CameraInfo', data);
      const used = isRectified ? rectifiedCameraInfo(info, name) : info;
      this.#intake.addCameraInfo(name, info.header.frame_id, used);
    });
    this.#handlers.set(imageTopic, (data) => {
      const image =
        imageType === 'sensor_msgs/msg/Image'
          ? imageFromMessage(this.#codec.decode(imageType, data))
          : imageFromCompressedMessage(this.#codec.decode(imageType, data));
      this.#intake.addImage(name, image);
    });
  }

  #handleTransforms(topic: string, isStatic: boolean): void {
    this.#handlers.set(topic, (data) => {
      for (const transform of this.#transformsOf(data)) {
        if (transform instanceof BdcError) this.#intake.reject(transform);
        else this.#intake.addTransform(transform, { isStatic });
      }
    });
  }

  #transformsOf(data: Uint8Array): ReturnType<typeof transformsFromMessage> {
    return transformsFromMessage(this.#codec.decode('tf2_msgs/msg/TFMessage', data));
  }

  #takeFrames(): readonly RiggedFrame[] {
    const frames = this.#frames;
    this.#frames = [];
    return frames;
  }
}

function errorOf(work: () => void): BdcError | undefined {
  try {
    work();
  } catch (error) {
    if (error instanceof BdcError) return error;
    throw error;
  }
  return undefined;
}
