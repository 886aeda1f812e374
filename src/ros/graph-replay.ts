import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import type { BagReader } from '../bag/bag-reader.js';
import { isImageType } from '../bag/camera-topics.js';
import type { BagMessage } from '../bag/message-source.js';
import type { ModelManifest } from '../engine/manifest.js';
import { BdcError } from '../errors.js';
import { observe } from '../expectation/observation.js';
import type { RunFigures, ThresholdRun } from '../expectation/threshold-run.js';
import { MessageCodec } from '../messages/message-codec.js';
import type { Detection3DArray, PointCloud2 } from '../messages/ros-types.js';
import { nsFromTime } from '../messages/stamp.js';
import { BagPlayer } from './bag-player.js';
import { GraphLatency } from './graph-latency.js';
import { QosTranslator } from './quality-of-service.js';
import type { Subscription } from './rclnodejs-types.js';
import type { RosSession } from './ros-session.js';

export interface GraphReplayOptions {
  readonly session: RosSession;
  readonly reader: BagReader;
  readonly manifest: ModelManifest;
  /** Thresholds that the results are shown to. */
  readonly run: ThresholdRun;
  /** Seconds of the bag in a second. */
  readonly rate: number;
  /** Full name of the node whose results are observed, for example `/bdc_occ`. */
  readonly nodeName: string;
  /** Arguments of this program that start the node. */
  readonly nodeCommand: readonly string[];
}

const READY_LIMIT_MS = 30_000;
const POLL_MS = 50;
/** Without a result for so long after the last image, none is expected any more. */
const QUIET_MS = 2000;
const END_LIMIT_MS = 5000;

/** A bag through the real graph: our player, the node in a process of its own, and the results as any subscriber gets them. */
export class GraphReplay {
  readonly #options: GraphReplayOptions;
  readonly #codec = new MessageCodec();
  readonly #latency = new GraphLatency();
  /** Frames of which a part has come; by stamp. */
  readonly #open = new Map<bigint, { cloud?: PointCloud2; detections?: Detection3DArray }>();
  readonly #subscriptions: Subscription[] = [];
  #start: bigint | undefined;
  #lastResultAt = 0;

  constructor(options: GraphReplayOptions) {
    this.#options = options;
  }

  /** @throws BdcError `REPLAY_NODE_ENDED` where the node does not start or ends early; `REPLAY_NO_FRAMES` */
  async run(): Promise<Omit<RunFigures, 'faults' | 'warnings'>> {
    const { session, reader, rate } = this.#options;
    this.#subscribe();
    const node = this.#startNode();
    const end = new AbortController();
    const ended = once(node, 'exit', { signal: end.signal }).then(([code, signal]) => {
      throw nodeEnded(code as number | null, signal as string | null);
    });
    try {
      const player = new BagPlayer(session, reader, {
        ...{ rate, loop: false, startOffset: 0, startPaused: false, clockRate: 100, waitForImages: false },
        onSent: (message) => this.#onSent(message),
      });
      await Promise.race([this.#play(player), ended]);
    } finally {
      end.abort();
      await ended.catch(() => {});
      await stop(node);
    }
    const figures = this.#latency.figures();
    if (figures.frames.processed > 0) return figures;
    throw new BdcError('bag', {
      code: 'REPLAY_NO_FRAMES',
      message: `${this.#options.nodeName} published no result of ${figures.frames.received} images; its log says why`,
    });
  }

  async #play(player: BagPlayer): Promise<void> {
    await this.#ready(player);
    await player.play();
    this.#lastResultAt = performance.now();
    while (performance.now() - this.#lastResultAt < QUIET_MS) await setTimeout(POLL_MS);
  }

  /** Until the node publishes what is observed and listens to what the bag has. */
  async #ready(player: BagPlayer): Promise<void> {
    const limit = AbortSignal.timeout(READY_LIMIT_MS);
    const signal = AbortSignal.any([this.#options.session.stop, limit]);
    let missing = `a publisher of each of ${this.#subscriptions.map(({ topic }) => topic).join(', ')}; --node-name names the node`;
    try {
      while (this.#subscriptions.some(({ publisherCount }) => publisherCount === 0))
        await setTimeout(POLL_MS, undefined, { signal });
      missing =
        "a subscription to an image topic of the bag; the parameter file's topics must be those of the bag";
      await player.imageSubscriber(signal);
    } catch (cause) {
      if (!limit.aborted) throw cause;
      throw new BdcError('configuration', {
        code: 'REPLAY_NODE_SILENT',
        message: `after ${READY_LIMIT_MS / 1000} s the node lacks ${missing}`,
        cause,
      });
    }
  }

  #startNode(): ChildProcess {
    const { nodeCommand } = this.#options;
    const script = process.argv[1]!;
    const args = [...process.execArgv, script, ...nodeCommand];
    // its log goes to our standard error: standard output is the report's
    return spawn(process.execPath, args, { stdio: ['ignore', 2, 2] });
  }

  #subscribe(): void {
    const { session, manifest, nodeName } = this.#options;
    const { node, rclnodejs } = session;
    const qos = new QosTranslator(rclnodejs.QoS).profile({
      reliability: 'reliable',
      durability: 'volatile',
      depth: 10,
    });
    const take = (type: string, topic: string, receive: (cdr: Buffer) => void): void => {
      this.#subscriptions.push(
        node.createSubscription(type, `${nodeName}/${topic}`, { qos, isRaw: true }, receive),
      );
    };
    if (manifest.occupancy) {
      take('sensor_msgs/msg/PointCloud2', 'occupied_voxels', (cdr) => {
        const cloud = this.#codec.decode('sensor_msgs/msg/PointCloud2', cdr);
        this.#onResult(nsFromTime(cloud.header.stamp), { cloud });
      });
    }
    if (manifest.detection) {
      take('vision_msgs/msg/Detection3DArray', 'detections', (cdr) => {
        const detections = this.#codec.decode('vision_msgs/msg/Detection3DArray', cdr);
        this.#onResult(nsFromTime(detections.header.stamp), { detections });
      });
    }
  }

  #onSent({ topic, data }: BagMessage): void {
    if (!isImageType(topic.type)) return;
    // both begin with a Header, and that with its stamp
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    const isLittleEndian = data[1] === 1;
    const stamp = { sec: view.getInt32(4, isLittleEndian), nanosec: view.getUint32(8, isLittleEndian) };
    this.#latency.sent(topic.name, nsFromTime(stamp));
  }

  #onResult(stamp: bigint, part: { cloud?: PointCloud2; detections?: Detection3DArray }): void {
    this.#lastResultAt = performance.now();
    const frame = { ...this.#open.get(stamp), ...part };
    const { manifest, run } = this.#options;
    const isComplete = (!manifest.occupancy || frame.cloud) && (!manifest.detection || frame.detections);
    if (!isComplete) {
      this.#open.set(stamp, frame);
      return;
    }
    this.#open.delete(stamp);
    this.#latency.received(stamp);
    this.#start ??= stamp;
    const classes = manifest.occupancy?.classes.map(({ name }) => name) ?? [];
    const published = { cloud: frame.cloud, detections: frame.detections };
    run.add(observe(published, classes, Number(stamp - this.#start) / 1e9));
  }
}

async function stop(node: ChildProcess): Promise<void> {
  if (node.exitCode !== null || node.signalCode !== null) return;
  const ended = once(node, 'exit');
  node.kill('SIGTERM');
  const patience = new AbortController();
  const kill = setTimeout(END_LIMIT_MS, undefined, patience).then(
    () => node.kill('SIGKILL'),
    () => {},
  );
  await ended;
  patience.abort();
  await kill;
}

const nodeEnded = (code: number | null, signal: string | null): BdcError =>
  new BdcError('configuration', {
    code: 'REPLAY_NODE_ENDED',
    message: `the node ended (${code === null ? signal : `exit code ${code}`}) before the bag was over; its log above says why`,
  });
