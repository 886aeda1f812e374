import type { BagMessage } from '../bag/message-source.js';
import { rosTopic, type BagTopic } from '../bag/bag-topic.js';
import { LATCHED_QOS, RELIABLE_QOS } from '../bag/qos-profiles.js';
import { BagWriter, type BagChannel, type BagWriterOptions } from '../bag/bag-writer.js';
import type { ModelManifest } from '../engine/manifest.js';
import { MessageCodec } from '../messages/message-codec.js';
import type { HeightBand } from '../messages/occupancy-grid.js';
import { RESULT_TYPES, ResultEncoder, resultNames, type ResultName } from '../messages/result-messages.js';
import type { PerceptionResult } from '../perception/types.js';

const NAMESPACE = '/bdc_occ/';

/** The bag that a replay writes: results, and the input's topics unless they are not wanted. */
export class ReplayOutput {
  readonly #writer: BagWriter;
  readonly #encoder: ResultEncoder;
  readonly #results: ReadonlyMap<ResultName, BagChannel>;
  readonly #copies = new Map<BagTopic, BagChannel>();

  private constructor(
    writer: BagWriter,
    encoder: ResultEncoder,
    results: ReadonlyMap<ResultName, BagChannel>,
  ) {
    this.#writer = writer;
    this.#encoder = encoder;
    this.#results = results;
  }

  /** @throws BdcError `OUTPUT_NOT_WRITABLE` */
  static async create(
    path: string,
    manifest: ModelManifest,
    { band, ...options }: BagWriterOptions & { readonly band: HeightBand },
  ): Promise<ReplayOutput> {
    const writer = await BagWriter.create(path, options);
    const results = new Map<ResultName, BagChannel>();
    for (const name of resultNames(manifest)) {
      const qos = name === 'occupancy_grid' ? LATCHED_QOS : RELIABLE_QOS;
      results.set(name, await writer.addTopic(rosTopic(NAMESPACE + name, RESULT_TYPES[name], qos)));
    }
    return new ReplayOutput(writer, new ResultEncoder(new MessageCodec(), manifest, band), results);
  }

  /** A message of the input, unchanged. Results that an earlier replay left in the bag are replaced. */
  async copy({ topic, data, logTime, publishTime }: BagMessage): Promise<void> {
    if (topic.name.startsWith(NAMESPACE)) return;
    let channel = this.#copies.get(topic);
    if (channel === undefined) {
      channel = await this.#writer.addTopic(topic);
      this.#copies.set(topic, channel);
    }
    await this.#writer.write(channel, data, logTime, publishTime);
  }

  /** @param logTime nanoseconds, of the message that completed the frame */
  async write(result: PerceptionResult, logTime: bigint): Promise<void> {
    for (const [name, channel] of this.#results) {
      await this.#writer.write(channel, this.#encoder.encode(name, result), logTime);
    }
  }

  close(): Promise<void> {
    return this.#writer.close();
  }

  discard(): Promise<void> {
    return this.#writer.discard();
  }
}
