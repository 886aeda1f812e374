import type { ModelManifest } from '../engine/manifest.js';
import type { MessageCodec } from '../messages/message-codec.js';
import type { HeightBand } from '../messages/occupancy-grid.js';
import { RESULT_TYPES, ResultEncoder, resultNames } from '../messages/result-messages.js';
import type { ResultName } from '../messages/result-messages.js';
import type { PerceptionResult } from '../perception/types.js';
import type { QosProfiles } from './quality-of-service.js';
import type { Node, Publisher } from './rclnodejs-types.js';

export interface ResultPublisherOptions {
  readonly node: Node;
  readonly qos: QosProfiles;
  readonly codec: MessageCodec;
  readonly manifest: ModelManifest;
}

/** Publishes results under the node's name (`~/occupied_voxels`, …), each output that the model has a head for. */
export class ResultPublisher {
  readonly #codec: MessageCodec;
  readonly #manifest: ModelManifest;
  readonly #publishers: readonly {
    readonly name: ResultName;
    readonly isLatched: boolean;
    readonly publisher: Publisher;
  }[];

  constructor({ node, qos, codec, manifest }: ResultPublisherOptions) {
    this.#codec = codec;
    this.#manifest = manifest;
    this.#publishers = resultNames(manifest).map((name) => {
      const isLatched = name === 'occupancy_grid';
      const profile = isLatched ? qos.latchedResults : qos.results;
      return {
        name,
        isLatched,
        publisher: node.createPublisher(RESULT_TYPES[name], `~/${name}`, { qos: profile }),
      };
    });
  }

  get topics(): readonly string[] {
    return this.#publishers.map(({ publisher }) => publisher.topic);
  }

  /** Outputs that nobody listens to are not made, but for the grid: who joins later gets the last one. */
  publish(result: PerceptionResult, band: HeightBand): void {
    const encoder = new ResultEncoder(this.#codec, this.#manifest, band);
    for (const { name, isLatched, publisher } of this.#publishers) {
      if (!isLatched && publisher.subscriptionCount === 0) continue;
      const { buffer, byteOffset, byteLength } = encoder.encode(name, result);
      publisher.publish(Buffer.from(buffer, byteOffset, byteLength));
    }
  }
}
