import { parse } from 'yaml';

/** What a publisher offers to those who subscribe. */
export interface TopicQos {
  readonly reliability: 'reliable' | 'best_effort';
  readonly durability: 'volatile' | 'transient_local';
  readonly depth: number;
}

export const RELIABLE_QOS: TopicQos = { reliability: 'reliable', durability: 'volatile', depth: 10 };
/** Late subscribers get the last message: /tf_static, maps. */
export const LATCHED_QOS: TopicQos = { reliability: 'reliable', durability: 'transient_local', depth: 1 };

/** Far more messages than a player has under way. */
const MAX_DEPTH = 1000;

// numbers of rmw/types.h, which metadata up to version 8 has, and the names of version 9
const BEST_EFFORT: readonly unknown[] = [2, 'best_effort'];
const TRANSIENT_LOCAL: readonly unknown[] = [1, 'transient_local'];

/**
 * YAML as rosbag2 writes it (rosbag2_storage/src/rosbag2_storage/qos.cpp), in the form of metadata version 8 and before: Humble reads only
 * that, later versions both.
 */
export function offeredQosProfiles({ reliability, durability, depth }: TopicQos): string {
  const infinite = '{sec: 9223372036, nsec: 854775807}';
  return [
    '- history: 1',
    `  depth: ${depth}`,
    `  reliability: ${reliability === 'reliable' ? 1 : 2}`,
    `  durability: ${durability === 'transient_local' ? 1 : 2}`,
    `  deadline: ${infinite}`,
    `  lifespan: ${infinite}`,
    '  liveliness: 1',
    `  liveliness_lease_duration: ${infinite}`,
    '  avoid_ros_namespace_conventions: false',
  ].join('\n');
}

/**
 * What a player offers for a topic, as rosbag2's does (Rosbag2QoS::adapt_offer_to_recorded_offers): what the recorded publishers agreed on, else
 * what suits every subscriber. Undefined where the bag says nothing that can be read.
 * @param text the topic's `offered_qos_profiles`, of any metadata version
 */
export function recordedQos(text: string | undefined): TopicQos | undefined {
  let profiles: readonly Readonly<Record<string, unknown>>[];
  try {
    const parsed: unknown = parse(text ?? '');
    if (!Array.isArray(parsed) || parsed.length === 0) return undefined;
    profiles = parsed as typeof profiles;
  } catch {
    return undefined;
  }
  const all = (key: string, values: readonly unknown[]): boolean =>
    profiles.every((profile) => values.includes(profile[key]));
  const depths = profiles.map(({ depth }) => Number(depth));
  return {
    reliability: all('reliability', BEST_EFFORT) ? 'best_effort' : 'reliable',
    durability: all('durability', TRANSIENT_LOCAL) ? 'transient_local' : 'volatile',
    depth: Math.min(Math.max(1, ...depths.filter(Number.isSafeInteger)), MAX_DEPTH),
  };
}
