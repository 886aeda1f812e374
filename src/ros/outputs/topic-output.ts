import type { ModelManifest } from '../../engine/manifest.js';
import type { MessageCodec } from '../../messages/message-codec.js';
import { occupancyGrid } from '../../messages/occupancy-grid.js';
import type { OccupancyLabels } from '../../messages/occupied-voxels-cloud.js';
import type { OccupancyGrid, RosMessages } from '../../messages/ros-types.js';
import type { PerceivedFrame } from '../../perception/frame-processor.js';
import type { ResultSelection } from '../result-selection.js';
import { OUTPUTS } from './output-table.js';
import type { OutputName } from './output-table.js';

type Heads = Pick<ModelManifest, 'occupancy' | 'detection'>;

/** A frame on its way out: what all outputs make their messages of. */
export class OutputFrame {
  readonly frame: PerceivedFrame;
  readonly selection: ResultSelection;
  readonly #manifest: Heads;
  #grid: OccupancyGrid | undefined;

  constructor(frame: PerceivedFrame, selection: ResultSelection, manifest: Heads) {
    this.frame = frame;
    this.selection = selection;
    this.#manifest = manifest;
  }

  /** Outputs exist only for the heads that a model has. */
  get occupancy(): OccupancyLabels {
    return this.#manifest.occupancy!;
  }

  get detection(): NonNullable<ModelManifest['detection']> {
    return this.#manifest.detection!;
  }

  /** Made once, for all outputs that need it. */
  get grid(): OccupancyGrid {
    const { heightBand, obstacles } = this.selection;
    this.#grid ??= occupancyGrid(this.frame.result, this.occupancy, heightBand, obstacles);
    return this.#grid;
  }
}

/** One topic of results. */
export interface TopicOutput {
  /** Whose parameters it goes by. */
  readonly name: OutputName;
  /** Relative to the node's name: `~/…`. */
  readonly topic: string;
  encode(codec: MessageCodec, frame: OutputFrame): Uint8Array;
}

export const topicOutput = <Name extends OutputName>(
  name: Name,
  message: (frame: OutputFrame) => RosMessages[(typeof OUTPUTS)[Name]['type']],
  topic = `~/${name}`,
): TopicOutput => ({
  name,
  topic,
  encode: (codec, frame) => codec.encode(OUTPUTS[name].type, message(frame)),
});
