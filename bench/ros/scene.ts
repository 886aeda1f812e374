import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { BagReader } from '../../src/bag/bag-reader.js';
import { MessageCodec } from '../../src/messages/message-codec.js';
import type { CameraInfo } from '../../src/messages/ros-types.js';
import { exportBag } from '../../src/simulation/bag-export.js';

export type Transport = 'raw' | 'compressed';

/** A camera as load_peer.py publishes it. */
export interface LoadCamera {
  readonly name: string;
  readonly image_topic: string;
  readonly info_topic: string;
  readonly frame_id: string;
  readonly width: number;
  readonly height: number;
  /** rgb8 pixels or a JPEG. */
  readonly file: string;
  readonly bytes: number;
  readonly info: Pick<CameraInfo, 'distortion_model'> &
    Readonly<Record<'d' | 'k' | 'r' | 'p', readonly number[]>>;
}

export interface LoadScene {
  readonly cameras: readonly LoadCamera[];
  readonly transforms: readonly object[];
}

/** A picture of a simulated street with its calibration. */
interface Shot {
  readonly name: string;
  readonly jpeg: Uint8Array;
  readonly info: CameraInfo;
}

/** What the six cameras see, as bytes of either transport. */
export interface StreetShots {
  readonly shots: readonly Shot[];
  readonly transforms: readonly object[];
}

/** Renders the street; `folder` is for temporary files. */
export async function streetShots(
  folder: string,
  size: { readonly width: number; readonly height: number },
): Promise<StreetShots> {
  const bag = path.join(folder, 'scene.mcap');
  await exportBag({
    ...{ out: bag, seed: 7, index: 0, duration: 1, rate: 1, samplesPerPixel: 1, voxelFactor: 8 },
    imageSize: size,
  });
  const codec = new MessageCodec();
  const reader = await BagReader.open(bag);
  const jpegs = new Map<string, Uint8Array>();
  const infos = new Map<string, CameraInfo>();
  const transforms: object[] = [];
  for await (const { topic, data } of reader.messages()) {
    const [, name = ''] = /^\/camera\/(\w+)\//.exec(topic.name) ?? [];
    if (topic.type === 'sensor_msgs/msg/CompressedImage')
      jpegs.set(name, codec.decode(topic.type, data).data);
    if (topic.type === 'sensor_msgs/msg/CameraInfo') infos.set(name, codec.decode(topic.type, data));
    if (topic.name === '/tf_static')
      transforms.push(...codec.decode('tf2_msgs/msg/TFMessage', data).transforms);
  }
  await reader.close();
  const shots = [...jpegs].map(([name, jpeg]) => ({ name, jpeg, info: infos.get(name)! }));
  return { shots, transforms };
}

/** Writes the images into `folder`, as the transport has them. */
export async function loadScene(
  { shots, transforms }: StreetShots,
  folder: string,
  transport: Transport,
): Promise<LoadScene> {
  const cameras = shots.map(async ({ name, jpeg, info }): Promise<LoadCamera> => {
    const bytes = transport === 'raw' ? await sharp(jpeg).removeAlpha().raw().toBuffer() : jpeg;
    const file = path.join(folder, `${name}.${transport}`);
    await writeFile(file, bytes);
    const { header, width, height, distortion_model, d, k, r, p } = info;
    return {
      ...{ name, width, height, file, bytes: bytes.length, frame_id: header.frame_id },
      image_topic: `/load/${name}/image`,
      info_topic: `/load/${name}/camera_info`,
      info: { distortion_model, d: Array.from(d), k: Array.from(k), r: Array.from(r), p: Array.from(p) },
    };
  });
  return { cameras: await Promise.all(cameras), transforms };
}
