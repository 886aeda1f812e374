import { writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { stringify } from 'yaml';
import { RigidTransform } from '../../../src/geometry/rigid-transform.js';
import type { DiagnosticArray, Header } from '../../../src/messages/ros-types.js';
import { nsFromTime, timeFromNs } from '../../../src/messages/stamp.js';
import { modelFile } from '../frame-file.js';
import type { Peer, Qos } from '../peer.js';
import { Ros2Graph } from '../ros2-graph.js';
import type { Ros2Environment } from '../ros2-graph.js';
import type { RunningNode } from '../running-node.js';
import { repeatUntil } from '../waiting.js';

export const SENSOR_QOS = { reliability: 'best_effort', depth: 5 } as const;
const RELIABLE_QOS = { reliability: 'reliable', depth: 100 } as const;
export const LATCHED_QOS = { durability: 'transient_local', depth: 10 } as const;

export const DIAGNOSTICS = '/diagnostics';

/** A camera that looks away from the robot. */
export interface RingCamera {
  readonly name: string;
  /** To the left of straight ahead. */
  readonly degrees: number;
  readonly width?: number;
  readonly height?: number;
  readonly transport?: 'raw' | 'compressed';
}

export interface RingRobotOptions {
  readonly cameras: readonly RingCamera[];
  readonly parameters?: Record<string, unknown>;
  /** Of the node and its cameras. */
  readonly namespace?: string;
  readonly preload?: string;
  /** Of the node's process. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * Images, CameraInfo and odometry are published and subscribed reliably: once `warmUp` is over none is lost, as tests need that publish
   * one of them and wait for what it brings about.
   */
  readonly isReliable?: boolean;
  /** A graph that another robot is on, too. */
  readonly graph?: Ros2Graph;
  /** Do not wait until the node is ready. */
  readonly isUnready?: boolean;
}

export type Status = DiagnosticArray['status'][number];

/** Three cameras that see all around but for gaps between them. */
export const THREE_CAMERAS: readonly RingCamera[] = [
  { name: 'front', degrees: 0 },
  { name: 'left', degrees: 120 },
  { name: 'right', degrees: -120 },
];

const PERIOD_S = 0.2;
const FRAME_ATTEMPTS = 10;

/** With a header of its own, or of its first marker. */
type StampedMessage =
  | { readonly header: Pick<Header, 'stamp'> }
  | { readonly markers: readonly { readonly header: Pick<Header, 'stamp'> }[] };

const stampOf = (message: StampedMessage): bigint =>
  nsFromTime(('header' in message ? message : message.markers[0]!).header.stamp);

/** A robot with small cameras around it, driven by a rclpy process, with the node and a second rclpy process that listens. */
export class RingRobot {
  readonly graph: Ros2Graph;
  readonly driver: Peer;
  readonly receiver: Peer;
  readonly cameras: readonly RingCamera[];
  readonly namespace: string;
  readonly node: RunningNode;
  readonly #images = new Map<string, object>();
  readonly #sensorQos: Qos;
  readonly #streaming = new Set<string>();

  private constructor(
    graph: Ros2Graph,
    { cameras, parameters = {}, namespace = '', preload, env = {}, isReliable }: RingRobotOptions,
  ) {
    this.graph = graph;
    this.cameras = cameras;
    this.namespace = namespace;
    this.#sensorQos = isReliable ? RELIABLE_QOS : SENSOR_QOS;
    this.driver = this.graph.startPeer();
    this.receiver = this.graph.startPeer();
    const file = path.join(this.graph.folder, `parameters${namespace.replaceAll('/', '_')}.yaml`);
    const own = {
      model: modelFile(),
      threads: 1,
      diagnostics_period_s: 0.5,
      cameras: cameras.map(({ name }) => name),
      camera: Object.fromEntries(
        cameras.map(({ name, transport = 'compressed' }) => [
          name,
          { image_topic: this.imageTopic(name), info_topic: this.infoTopic(name), transport },
        ]),
      ),
      ...(isReliable && {
        qos: { images: RELIABLE_QOS, camera_info: RELIABLE_QOS, odometry: RELIABLE_QOS },
      }),
    };
    const document = { '/**': { ros__parameters: merged(own, parameters) } };
    // ROS 2 does not know aliases
    writeFileSync(file, stringify(document, { aliasDuplicateObjects: false }));
    const args = ['--ros-args', '--params-file', file, ...(namespace ? ['-r', `__ns:=${namespace}`] : [])];
    this.node = this.graph.startNode(args, env, preload);
  }

  /**
   * Starts all processes; cameras are advertised, their mounts known, nothing is published yet. Where it fails the graph is disposed of: its
   * processes would keep mocha from ending.
   */
  static async start(ros: Ros2Environment, options: RingRobotOptions): Promise<RingRobot> {
    const graph = options.graph ?? new Ros2Graph(ros);
    try {
      const robot = new RingRobot(graph, options);
      await robot.#advertise();
      if (!options.isUnready) await robot.node.waitForLog(/ready: model/);
      await robot.receiver.subscribe(robot.topic(DIAGNOSTICS), 'diagnostic_msgs/msg/DiagnosticArray');
      return robot;
    } catch (error) {
      await graph.dispose();
      throw error;
    }
  }

  /** The node's name in the graph. */
  get nodeName(): string {
    return `${this.namespace}/bdc_occ`;
  }

  /** `~/grid` → `/robot/bdc_occ/grid`. */
  topic(name: string): string {
    return name.replace(/^~/, this.nodeName);
  }

  imageTopic = (camera: string): string => `${this.namespace}/${camera}/image`;
  infoTopic = (camera: string): string => `${this.namespace}/${camera}/info`;
  opticalFrame = (camera: string): string => `${this.namespace.slice(1)}${camera}_optical`;

  camera(name: string): RingCamera {
    return this.cameras.find((camera) => camera.name === name)!;
  }

  /** Optical frame in base_link (REP-103: x right, y down, z forward), 1.5 m up. */
  static mount({ degrees }: Pick<RingCamera, 'degrees'>): RigidTransform {
    const optical = RigidTransform.fromMatrix([0, 0, 1, -1, 0, 0, 0, -1, 0], [0, 0, 0]);
    return RigidTransform.fromYaw((degrees * Math.PI) / 180, [0, 0, 1.5]).compose(optical);
  }

  infoMessage({ name, width = 320, height = 180 }: RingCamera): Record<string, unknown> {
    const f = 0.5 * width;
    return {
      header: { frame_id: this.opticalFrame(name) },
      width,
      height,
      distortion_model: 'plumb_bob',
      d: [0, 0, 0, 0, 0],
      k: [f, 0, width / 2, 0, f, height / 2, 0, 0, 1],
    };
  }

  imageMessage(camera: string): object {
    return this.#images.get(camera)!;
  }

  transformMessage(
    parent: string,
    child: string,
    { translation, rotation }: RigidTransform,
    stamp = 0n,
  ): object {
    const [x, y, z, w] = rotation;
    return {
      header: { stamp: timeFromNs(stamp), frame_id: parent },
      child_frame_id: child,
      transform: {
        translation: { x: translation[0], y: translation[1], z: translation[2] },
        rotation: { x, y, z, w },
      },
    };
  }

  /** Where the cameras are mounted, on /tf_static. */
  async publishMounts(cameras = this.cameras): Promise<void> {
    await this.driver.publish('/tf_static', {
      transforms: cameras.map((camera) =>
        this.transformMessage('base_link', this.opticalFrame(camera.name), RingRobot.mount(camera)),
      ),
    });
  }

  /** One set of images with their CameraInfo. */
  async publishSet(
    stamp: bigint,
    cameras: readonly string[] = this.cameras.map(({ name }) => name),
  ): Promise<void> {
    const stamped = (message: object): object => ({
      ...message,
      header: { ...(message as { header: object }).header, stamp: timeFromNs(stamp) },
    });
    for (const name of cameras)
      await this.driver.publish(this.infoTopic(name), stamped(this.infoMessage(this.camera(name))));
    for (const name of cameras)
      await this.driver.publish(this.imageTopic(name), stamped(this.imageMessage(name)));
  }

  /**
   * Publishes sets of images until what they are to bring about has come.
   * @param first stamp of the first set, `step` from set to set
   */
  publishUntil<T>(
    come: Promise<T>,
    { first, step = 1_000_000n }: { readonly first: bigint; readonly step?: bigint },
  ): Promise<T> {
    let stamp = first - step;
    return repeatUntil(come, () => this.publishSet((stamp += step)));
  }

  /** Publishes sets stamped 1 s, 2 s, … until results come. */
  async warmUp(): Promise<void> {
    await this.listen('~/occupied_voxels', 'sensor_msgs/msg/PointCloud2');
    await this.driver.waitMatched();
    await this.publishUntil(this.next('~/occupied_voxels'), { first: 1_000_000_000n, step: 1_000_000_000n });
  }

  /**
   * Cameras publish by themselves from now on, at equal stamps.
   * @param info fields of their CameraInfo that are to be other ones
   */
  async stream(
    names: readonly string[] = this.cameras.map(({ name }) => name),
    { periodS = PERIOD_S, lateS = 0, shiftS = 0, info = {} } = {},
  ): Promise<void> {
    for (const name of names) {
      this.#streaming.add(name);
      await this.driver.request({
        op: 'start_stream',
        name,
        period_s: periodS,
        late_s: lateS,
        shift_s: shiftS,
        messages: [
          { topic: this.infoTopic(name), message: { ...this.infoMessage(this.camera(name)), ...info } },
          { topic: this.imageTopic(name), message: this.imageMessage(name) },
        ],
      });
    }
  }

  async stop(...names: readonly string[]): Promise<void> {
    for (const name of names) {
      this.#streaming.delete(name);
      await this.driver.request({ op: 'stop_stream', name });
    }
  }

  /** Stops the cameras that still publish and forgets what was received so far, for the next test with the same processes. */
  async rest(): Promise<void> {
    await this.stop(...this.#streaming);
    this.receiver.drainAll();
  }

  /** Subscribes and waits until the publisher is known. That one may not know of the subscription yet: what it tells only once may be lost. */
  async listen(name: string, type: string, qos: object = {}): Promise<void> {
    await this.receiver.subscribe(this.topic(name), type, qos);
    await this.receiver.waitMatched();
  }

  /** The next message of a result topic. */
  next<T extends { readonly header: Header }>(
    name: string,
    accepts: (message: T) => boolean = () => true,
  ): Promise<T> {
    return this.receiver.next<T>(this.topic(name), accepts);
  }

  /**
   * The next messages of several result topics that belong to one frame. A frame that lacks one is passed over: results keep one message
   * only, and a busy machine may replace it before it was sent.
   */
  async nextOfOneFrame<T extends readonly StampedMessage[]>(
    ...names: { readonly [Index in keyof T]: string }
  ): Promise<T> {
    const next = (name: string, notBefore = 0n): Promise<StampedMessage> =>
      this.receiver.next<StampedMessage>(this.topic(name), (message) => stampOf(message) >= notBefore);
    let messages = await Promise.all(names.map((name) => next(name)));
    for (let attempt = 0; attempt < FRAME_ATTEMPTS; attempt++) {
      const stamps = messages.map(stampOf);
      const newest = stamps.reduce((a, b) => (a > b ? a : b));
      if (stamps.every((stamp) => stamp === newest)) return messages as unknown as T;
      messages = await Promise.all(
        messages.map((message, i) =>
          stamps[i] === newest ? Promise.resolve(message) : next(names[i]!, newest),
        ),
      );
    }
    throw new Error(`none of ${FRAME_ATTEMPTS} frames had a message on each of ${names.join(', ')}`);
  }

  /** What a component says, as soon as that is accepted. */
  async status(component: string, accepts: (status: Status) => boolean = () => true): Promise<Status> {
    const name = `${this.nodeName.slice(1)}: ${component}`;
    const found = ({ status }: DiagnosticArray): Status | undefined =>
      status.find((candidate) => candidate.name === name && accepts(candidate));
    this.receiver.drain(DIAGNOSTICS);
    const isWanted = (message: DiagnosticArray): boolean => found(message) !== undefined;
    // for the error of a wait in vain
    isWanted.toString = () => `"${name}": ${String(accepts)}`;
    const show = ({ status }: DiagnosticArray): unknown =>
      status.find((candidate) => candidate.name === name) ?? status.map((other) => other.name);
    return found(await this.receiver.next<DiagnosticArray>(DIAGNOSTICS, isWanted, { show }))!;
  }

  async #advertise(): Promise<void> {
    for (const camera of this.cameras) {
      const { name, transport = 'compressed' } = camera;
      this.#images.set(name, await this.#makeImage(camera));
      const type = transport === 'raw' ? 'sensor_msgs/msg/Image' : 'sensor_msgs/msg/CompressedImage';
      await this.driver.advertise(this.imageTopic(name), type, this.#sensorQos);
      await this.driver.advertise(this.infoTopic(name), 'sensor_msgs/msg/CameraInfo', this.#sensorQos);
    }
    await this.driver.advertise('/tf_static', 'tf2_msgs/msg/TFMessage', LATCHED_QOS);
    await this.publishMounts();
  }

  /** A picture that differs from camera to camera. */
  async #makeImage({ name, degrees, width = 320, height = 180, transport }: RingCamera): Promise<object> {
    const header = { frame_id: this.opticalFrame(name) };
    const pixels = Uint8Array.from(
      { length: width * height * 3 },
      (_, i) => (i * (3 + Math.abs(degrees)) + (i >> 7) * 11) & 255,
    );
    const image = sharp(pixels, { raw: { width, height, channels: 3 } });
    const file = path.join(this.graph.folder, `${this.namespace.replaceAll('/', '_')}${name}.bin`);
    if (transport === 'raw') {
      writeFileSync(file, pixels);
      return { header, width, height, encoding: 'rgb8', step: width * 3, data: { file } };
    }
    writeFileSync(file, await image.jpeg().toBuffer());
    return { header, format: 'jpeg', data: { file } };
  }
}

/** Objects are merged, everything else is replaced. */
function merged(a: Record<string, unknown>, b: Record<string, unknown>): Record<string, unknown> {
  const isObject = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  return Object.fromEntries(
    [...new Set([...Object.keys(a), ...Object.keys(b)])].map((key) => {
      const [left, right] = [a[key], b[key]];
      return [key, isObject(left) && isObject(right) ? merged(left, right) : key in b ? right : left];
    }),
  );
}

/** Values of a component's status, by key. */
export const valuesOf = ({ values }: Status): Readonly<Record<string, string>> =>
  Object.fromEntries(values.map(({ key, value }) => [key, value]));
