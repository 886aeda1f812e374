import { setTimeout } from 'node:timers/promises';
import type { BagReader } from '../bag/bag-reader.js';
import { isImageType } from '../bag/camera-topics.js';
import type { BagMessage, CountedTopic } from '../bag/message-source.js';
import { recordedQos, RELIABLE_QOS } from '../bag/qos-profiles.js';
import { ReplayClock } from '../bag/replay-clock.js';
import { BdcError } from '../errors.js';
import { didYouMean } from './nearest-name.js';
import { publishCdr } from './publish-cdr.js';
import { QosTranslator } from './quality-of-service.js';
import type { Publisher } from './rclnodejs-types.js';
import type { RosSession } from './ros-session.js';

export interface PlayOptions {
  /** Seconds of the bag in a second. */
  readonly rate: number;
  readonly loop: boolean;
  /** Seconds of the bag that are left out at its start; latched messages in there are still sent. */
  readonly startOffset: number;
  readonly startPaused: boolean;
  /** Of /clock, 1/s. */
  readonly clockRate: number;
  /** Waits until somebody listens to an image topic of the bag. */
  readonly waitForImages: boolean;
  /** Names; undefined = all. */
  readonly topics?: readonly string[];
  /** Called with each message that is out. */
  readonly onSent?: (message: BagMessage) => void;
}

const SUBSCRIBER_POLL_MS = 50;
/** What reliable subscribers may still need when the last message is out. */
const LINGER_MS = 500;
const TRIGGER = 'std_srvs/srv/Trigger';

interface Output {
  readonly publisher: Publisher;
  readonly isLatched: boolean;
  readonly isImage: boolean;
}

/**
 * Plays a bag on the graph as rosbag2's player does: each topic with the quality of service that it was recorded with, and /clock, which is
 * best effort. The services `~/pause`, `~/resume` and `~/toggle_paused` are of std_srvs/Trigger.
 */
export class BagPlayer {
  readonly #session: RosSession;
  readonly #reader: BagReader;
  readonly #options: PlayOptions;
  readonly #outputs = new Map<string, Output>();
  readonly #clockPublisher: Publisher;
  #clock: ReplayClock | undefined;

  /** @throws BdcError `PLAY_TOPIC_UNKNOWN` */
  constructor(session: RosSession, reader: BagReader, options: PlayOptions) {
    this.#session = session;
    this.#reader = reader;
    this.#options = options;
    this.#refuseUnknownTopics();
    for (const topic of reader.topics) {
      if (options.topics?.includes(topic.name) ?? topic.name !== '/clock') this.#advertise(topic);
    }
    // rclcpp::ClockQoS
    const clockQos = { reliability: 'best_effort', durability: 'volatile', depth: 1 } as const;
    const { node, rclnodejs } = session;
    this.#clockPublisher = node.createPublisher('rosgraph_msgs/msg/Clock', '/clock', {
      qos: new QosTranslator(rclnodejs.QoS).profile(clockQos),
    });
    this.#serve('pause', (clock) => clock.pause());
    this.#serve('resume', (clock) => clock.resume());
    this.#serve('toggle_paused', (clock) => (clock.isPaused ? clock.resume() : clock.pause()));
  }

  /**
   * Until the bag is over, or for ever in a loop. Rejects when the session is stopped.
   * @throws BdcError `PLAY_NO_IMAGES`
   */
  async play(): Promise<void> {
    const { stop, node } = this.#session;
    const { startOffset, rate, startPaused, clockRate, loop, waitForImages } = this.#options;
    if (waitForImages) await this.imageSubscriber(stop);
    const first = await this.#firstTime();
    const start = first + BigInt(Math.round(startOffset * 1e9));
    const clock = new ReplayClock({ start, rate });
    this.#clock = clock;
    if (startPaused) clock.pause();
    const ticking = setInterval(() => this.#publishClock(clock.time), 1000 / clockRate);
    try {
      do {
        clock.jump(start);
        const sent = await this.#playOnce(clock, start);
        node.getLogger().info(`the bag is over: ${sent} messages sent`);
      } while (loop);
      await setTimeout(LINGER_MS, undefined, { signal: stop });
    } finally {
      clearInterval(ticking);
    }
  }

  /**
   * Until somebody listens to an image topic of the bag. Rejects when aborted.
   * @throws BdcError `PLAY_NO_IMAGES`
   */
  async imageSubscriber(signal: AbortSignal): Promise<void> {
    const images = [...this.#outputs].filter(([, { isImage }]) => isImage);
    if (images.length === 0) {
      throw new BdcError('configuration', {
        code: 'PLAY_NO_IMAGES',
        message:
          'to wait for listeners to images, expected a topic of sensor_msgs/msg/Image or CompressedImage among those that are played, ' +
          `found ${[...this.#outputs.keys()].join(', ') || 'no topic at all'}; play without --wait-for-images, or name one in --topics`,
      });
    }
    const topics = images.map(([topic]) => topic).join(', ');
    this.#session.node.getLogger().info(`waiting until somebody listens to one of: ${topics}`);
    while (!images.some(([, { publisher }]) => publisher.subscriptionCount > 0))
      await setTimeout(SUBSCRIBER_POLL_MS, undefined, { signal });
  }

  async #playOnce(clock: ReplayClock, start: bigint): Promise<number> {
    const { stop } = this.#session;
    let sent = 0;
    this.#publishClock(clock.time);
    for await (const message of this.#reader.messages({ topics: [...this.#outputs.keys()] })) {
      const { publisher, isLatched } = this.#outputs.get(message.topic.name)!;
      if (message.logTime < start && !isLatched) continue;
      await clock.sleepUntil(message.logTime, stop);
      this.#publish(publisher, message);
      this.#options.onSent?.(message);
      sent++;
    }
    return sent;
  }

  async #firstTime(): Promise<bigint> {
    for await (const { logTime } of this.#reader.messages()) return logTime;
    throw new Error('a bag has messages once it is open');
  }

  #refuseUnknownTopics(): void {
    const names = this.#reader.topics.map(({ name }) => name);
    const unknown = this.#options.topics?.find((topic) => !names.includes(topic));
    if (unknown === undefined) return;
    throw new BdcError('configuration', {
      code: 'PLAY_TOPIC_UNKNOWN',
      message:
        `--topics: expected topics of the bag (${names.join(', ')}), found ${JSON.stringify(unknown)}` +
        didYouMean(unknown, names),
    });
  }

  #advertise({ name, type, metadata }: CountedTopic): void {
    const { node, rclnodejs } = this.#session;
    const qos = recordedQos(metadata.get('offered_qos_profiles')) ?? RELIABLE_QOS;
    try {
      this.#outputs.set(name, {
        publisher: node.createPublisher(type, name, { qos: new QosTranslator(rclnodejs.QoS).profile(qos) }),
        isLatched: qos.durability === 'transient_local',
        isImage: isImageType(type),
      });
    } catch (error) {
      const why = (error as Error).message.split('\n')[0];
      node
        .getLogger()
        .warn(`topic ${name} is left out: messages of type ${type} cannot be sent here (${why})`);
    }
  }

  #publish(publisher: Publisher, { data, topic }: BagMessage): void {
    // recorded so by a defect somewhere else; the rest of the bag is fine
    if (data.length <= CDR_HEADER.length) {
      this.#session.node.getLogger().warn(`a message of ${topic.name} with ${data.length} bytes is left out`);
      return;
    }
    publishCdr(publisher, data);
  }

  #publishClock(time: bigint): void {
    const message = Buffer.alloc(CDR_HEADER.length + 8);
    message.set(CDR_HEADER);
    message.writeInt32LE(Number(time / 1_000_000_000n), 4);
    message.writeUInt32LE(Number(time % 1_000_000_000n), 8);
    publishCdr(this.#clockPublisher, message);
  }

  #serve(name: string, act: (clock: ReplayClock) => void): void {
    const { node } = this.#session;
    node.createService(TRIGGER, `~/${name}`, (_, response) => {
      const clock = this.#clock;
      if (clock !== undefined) act(clock);
      const message =
        clock === undefined
          ? 'the bag is not yet being played'
          : `${clock.isPaused ? 'paused' : 'playing'} at ${Number(clock.time) / 1e9} s`;
      response.send({ success: clock !== undefined, message });
    });
  }
}

/** Little endian, no options. */
const CDR_HEADER = Uint8Array.of(0, 1, 0, 0);
