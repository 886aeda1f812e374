import { OUTPUT_NAMES, OUTPUTS } from './outputs/output-table.js';
import type { OutputName } from './outputs/output-table.js';

export const RELIABILITIES = ['reliable', 'best_effort'] as const;
export const DURABILITIES = ['volatile', 'transient_local'] as const;

/** All keep the last messages only: nothing may queue up behind a slow receiver. */
export interface TopicQos {
  readonly reliability: (typeof RELIABILITIES)[number];
  readonly durability: (typeof DURABILITIES)[number];
  readonly depth: number;
}

const INPUT_QOS = {
  // takes from reliable and best-effort publishers alike; a lost image is not worth waiting for
  images: { reliability: 'best_effort', durability: 'volatile', depth: 5 },
  camera_info: { reliability: 'best_effort', durability: 'volatile', depth: 5 },
  // as tf2 subscribes: deep, since one publisher may send a whole robot's joints one message each
  tf: { reliability: 'reliable', durability: 'volatile', depth: 100 },
  // also delivers what was published before we joined
  tf_static: { reliability: 'reliable', durability: 'transient_local', depth: 100 },
  odometry: { reliability: 'best_effort', durability: 'volatile', depth: 20 },
} as const satisfies Readonly<Record<string, TopicQos>>;

export type InputName = keyof typeof INPUT_QOS;
export type QosKey = InputName | OutputName | 'statistics';

/** The defaults of the parameters `qos.<key>.…`. */
export const DEFAULT_QOS: Readonly<Record<QosKey, TopicQos>> = {
  ...INPUT_QOS,
  ...(Object.fromEntries(
    OUTPUT_NAMES.map((name): [OutputName, TopicQos] => [
      name,
      // map-like results are latched: Nav2's static layer and RViz get the last one when they join
      {
        reliability: 'reliable',
        durability: OUTPUTS[name].isLatched ? 'transient_local' : 'volatile',
        depth: 1,
      },
    ]),
  ) as Record<OutputName, TopicQos>),
  statistics: { reliability: 'reliable', durability: 'volatile', depth: 1 },
};

export const QOS_KEYS = Object.keys(DEFAULT_QOS) as readonly QosKey[];
