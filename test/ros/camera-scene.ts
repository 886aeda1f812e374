import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import type { FrameFile } from '../../src/dataset/frame-file.js';
import { readFrameFile } from '../../src/dataset/frame-file.js';
import { timeFromNs } from '../../src/messages/stamp.js';
import type { CameraImage } from '../../src/perception/types.js';
import type { Peer } from './peer.js';

export type Transport = 'compressed' | 'raw';

interface FrameDocument {
  readonly cameras: Readonly<
    Record<
      string,
      { readonly file: string; readonly width: number; readonly height: number; readonly K: number[][] }
    >
  >;
}

export const TF_STATIC = '/tf_static';
export const imageTopic = (camera: string): string => `/cameras/${camera}/image`;
export const infoTopic = (camera: string): string => `/cameras/${camera}/info`;
export const opticalFrame = (camera: string): string => `${camera}_optical`;

/** The cameras of a frame file as a robot has them: topics, CameraInfo and transforms, published by a rclpy peer. */
export class CameraScene {
  readonly cameras: readonly string[];
  /** As `bdc-occ frame` reads the same file, but for raw images where those are sent. */
  readonly frame: FrameFile;
  readonly transport: Transport;
  /** The frame file. */
  readonly file: string;
  readonly #folder: string;
  readonly #document: FrameDocument;
  readonly #scratch: string;

  private constructor(file: string, frame: FrameFile, transport: Transport, scratch: string) {
    this.file = file;
    this.#folder = path.dirname(file);
    this.#document = JSON.parse(readFileSync(file, 'utf8')) as FrameDocument;
    this.#scratch = scratch;
    this.cameras = frame.rig.cameras.map(({ name }) => name);
    this.frame = frame;
    this.transport = transport;
  }

  /** @param scratch folder for decoded images */
  static async load(file: string, transport: Transport, scratch: string): Promise<CameraScene> {
    const frame = await readFrameFile(file);
    if (transport === 'compressed') return new CameraScene(file, frame, transport, scratch);
    const images = await Promise.all(frame.frame.images.map((image) => decoded(image!)));
    return new CameraScene(file, { ...frame, frame: { ...frame.frame, images } }, transport, scratch);
  }

  /** What of the node's parameters the scene decides. */
  get parameters(): Record<string, unknown> {
    const camera = (name: string) => ({
      image_topic: imageTopic(name),
      info_topic: infoTopic(name),
      transport: this.transport,
    });
    return {
      cameras: this.cameras,
      camera: Object.fromEntries(this.cameras.map((name) => [name, camera(name)])),
    };
  }

  async advertise(peer: Peer, cameras = this.cameras): Promise<void> {
    const type = this.transport === 'raw' ? 'sensor_msgs/msg/Image' : 'sensor_msgs/msg/CompressedImage';
    for (const camera of cameras) {
      await peer.advertise(imageTopic(camera), type, { reliability: 'best_effort', depth: 5 });
      await peer.advertise(infoTopic(camera), 'sensor_msgs/msg/CameraInfo', {
        reliability: 'best_effort',
        depth: 5,
      });
    }
    await peer.advertise(TF_STATIC, 'tf2_msgs/msg/TFMessage', { durability: 'transient_local', depth: 10 });
  }

  async publishTransforms(peer: Peer, cameras = this.cameras): Promise<void> {
    const transforms = this.frame.rig.cameras
      .filter(({ name }) => cameras.includes(name))
      .map(({ name, baseFromCamera: { translation, rotation } }) => ({
        header: { frame_id: 'base_link' },
        child_frame_id: opticalFrame(name),
        transform: {
          translation: { x: translation[0], y: translation[1], z: translation[2] },
          rotation: { x: rotation[0], y: rotation[1], z: rotation[2], w: rotation[3] },
        },
      }));
    await peer.publish(TF_STATIC, { transforms });
  }

  /** One image and its CameraInfo of each camera, `shift` nanoseconds after the file's stamps. */
  async publishImages(peer: Peer, shift: bigint, cameras = this.cameras): Promise<void> {
    for (const camera of cameras) await this.publishInfo(peer, camera, shift);
    for (const camera of cameras) await peer.publish(imageTopic(camera), this.#image(camera, shift));
  }

  async publishInfo(peer: Peer, camera: string, shift: bigint): Promise<void> {
    await peer.publish(infoTopic(camera), this.#info(camera, shift));
  }

  stampOf(camera: string): bigint {
    return this.frame.frame.images[this.cameras.indexOf(camera)]!.stamp;
  }

  #header(camera: string, shift: bigint): object {
    return { stamp: timeFromNs(this.stampOf(camera) + shift), frame_id: opticalFrame(camera) };
  }

  #info(camera: string, shift: bigint): object {
    const { width, height, K } = this.#document.cameras[camera]!;
    return {
      header: this.#header(camera, shift),
      width,
      height,
      distortion_model: 'plumb_bob',
      d: [0, 0, 0, 0, 0],
      k: K.flat(),
    };
  }

  #image(camera: string, shift: bigint): object {
    const image = this.frame.frame.images[this.cameras.indexOf(camera)]!;
    const header = this.#header(camera, shift);
    if (image.kind === 'compressed') {
      const file = path.resolve(this.#folder, this.#document.cameras[camera]!.file);
      return { header, format: 'jpeg', data: { file } };
    }
    const file = path.join(this.#scratch, `${camera}.rgb`);
    writeFileSync(file, image.data);
    const { width, height, encoding, step } = image;
    return { header, width, height, encoding, step, data: { file } };
  }
}

async function decoded(image: CameraImage): Promise<CameraImage> {
  const { data, info } = await sharp(image.data).raw().toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  return {
    kind: 'raw',
    stamp: image.stamp,
    width,
    height,
    encoding: 'rgb8',
    step: width * 3,
    isBigEndian: false,
    data,
  };
}
