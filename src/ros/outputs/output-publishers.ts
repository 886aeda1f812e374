import type { ModelManifest } from '../../engine/manifest.js';
import type { MessageCodec } from '../../messages/message-codec.js';
import type { PerceivedFrame } from '../../perception/frame-processor.js';
import { aboveThresholds } from '../../perception/result-thresholds.js';
import type { NodeSettings } from '../node-settings.js';
import type { ParameterValue } from '../parameter-declaration.js';
import { publishCdr } from '../publish-cdr.js';
import type { QosTranslator } from '../quality-of-service.js';
import type { Node, Publisher } from '../rclnodejs-types.js';
import { resultSelection } from '../result-selection.js';
import type { TopicQos } from '../topic-qos.js';
import { cameraCoverage } from './camera-coverage.js';
import { detections, markers } from './detections.js';
import { freeSpace } from './free-space.js';
import { occupancyGridOutput } from './occupancy-grid.js';
import { occupiedVoxels } from './occupied-voxels.js';
import { OUTPUTS, outputsOf } from './output-table.js';
import type { OutputName } from './output-table.js';
import { RateLimit } from './rate-limit.js';
import { OutputFrame } from './topic-output.js';
import type { TopicOutput } from './topic-output.js';
import { voxelMarkersOutput } from './voxel-markers.js';
import { voxelsByClass } from './voxels-by-class.js';

export interface OutputPublishersOptions {
  readonly node: Node;
  readonly qos: QosTranslator;
  readonly codec: MessageCodec;
  readonly settings: NodeSettings;
  /** Of the parameters, as they are now. */
  readonly values: ReadonlyMap<string, ParameterValue>;
  readonly manifest: ModelManifest;
}

interface PublishedOutput extends TopicOutput {
  readonly publisher: Publisher;
  readonly limit: RateLimit;
  published: number;
}

/** A topic with what it offers, for reports. */
export interface PublishedTopic {
  readonly topic: string;
  readonly type: string;
  readonly qos: TopicQos;
  readonly published: number;
}

/** Publishes results under the node's name (`~/occupied_voxels`, …), each output that the model has a head for. */
export class OutputPublishers {
  readonly #options: OutputPublishersOptions;
  readonly #outputs: readonly PublishedOutput[];

  constructor(options: OutputPublishersOptions) {
    const { node, qos, settings, manifest } = options;
    this.#options = options;
    this.#outputs = outputsOf(manifest)
      .flatMap((name) => topicsOf(name, settings, manifest))
      .map((output) => ({
        ...output,
        publisher: node.createPublisher(OUTPUTS[output.name].type, output.topic, {
          qos: qos.profile(settings.qos[output.name]),
        }),
        limit: new RateLimit(),
        published: 0,
      }));
  }

  get topics(): readonly PublishedTopic[] {
    const { qos } = this.#options.settings;
    return this.#outputs.map(({ name, publisher, published }) => ({
      topic: publisher.topic,
      type: OUTPUTS[name].type,
      qos: qos[name],
      published,
    }));
  }

  /** Outputs that nobody listens to are not made, but for latched ones: who joins later gets the last one. */
  publish(frame: PerceivedFrame): void {
    const { values, manifest, codec } = this.#options;
    const selection = resultSelection(values, manifest);
    const result = aboveThresholds(frame.result, selection.thresholds, manifest.occupancy?.free);
    const outputFrame = new OutputFrame({ ...frame, result }, selection, manifest);
    for (const output of this.#outputs) {
      const { name, publisher, limit } = output;
      if (!(values.get(`outputs.${name}.enabled`) as boolean)) continue;
      if (!OUTPUTS[name].isLatched && publisher.subscriptionCount === 0) continue;
      if (!limit.admits(values.get(`outputs.${name}.max_rate`) as number)) continue;
      publishCdr(publisher, output.encode(codec, outputFrame));
      output.published++;
    }
  }

  close(): void {
    for (const { publisher } of this.#outputs) this.#options.node.destroyPublisher(publisher);
  }
}

function topicsOf(
  name: OutputName,
  { cameras, voxelGroups }: NodeSettings,
  { occupancy }: ModelManifest,
): readonly TopicOutput[] {
  switch (name) {
    case 'occupied_voxels':
      return [occupiedVoxels];
    case 'voxels_by_class':
      return voxelsByClass(voxelGroups, occupancy!);
    case 'occupancy_grid':
      return [occupancyGridOutput];
    case 'detections':
      return [detections];
    case 'markers':
      return [markers];
    case 'voxel_markers':
      return [voxelMarkersOutput];
    case 'free_space':
      return [freeSpace];
    case 'camera_coverage':
      return [cameraCoverage(cameras.map((camera) => camera.name))];
  }
}
