import { imageFates, type TakenImage } from './image-fates.js';
import type { Usage } from './process-usage.js';
import type { Transport } from './scene.js';

type StatusValues = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** What load_peer.py prints; times are nanoseconds since the epoch. */
export interface PeerReport {
  /** `sent`: when the last camera's image of that stamp was out. */
  readonly frames: readonly { readonly stamp: number; readonly sent: number }[];
  readonly results: readonly { readonly stamp: number; readonly at: number }[];
  /** The node's diagnostics at the end of the warm-up. */
  readonly before: StatusValues;
  readonly diagnostics: readonly { readonly at: number; readonly values: StatusValues }[];
}

export interface Spread {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

export interface LoopDelay extends Spread {
  readonly max: number;
}

/** How late the node's event loop was, milliseconds. */
export interface LoopLateness {
  readonly late: LoopDelay;
  /** Less the wait for a processor while other threads had all of them: what callbacks, garbage collection and locks took. */
  readonly kept: LoopDelay;
}

/** What node-monitor.mjs writes. */
export interface MonitorReport {
  readonly loop: Readonly<Record<'startUp' | 'steady' | 'shutdown', LoopLateness>>;
  /** By image topic. */
  readonly taken: Readonly<Record<string, readonly TakenImage[]>>;
}

export interface LoadFigures {
  readonly transport: Transport;
  readonly seconds: number;
  readonly image_bytes: number;
  readonly sent: number;
  /** Images that the node took. */
  readonly received: number;
  /** Images that newer ones pushed out of the node's queue: latest wins. */
  readonly overwritten: number;
  /** Images that the transport lost. */
  readonly lost: number;
  /** Sets of images. */
  readonly processed: number;
  /** Sets that were overtaken by newer ones, for lack of time. */
  readonly dropped: number;
  /** From the images' stamp to the result at the subscriber. */
  readonly age_ms: Spread;
  /** Decoding of images, network, decoding of results. */
  readonly pipeline_ms: Spread;
  /**
   * From the last image's sending to the result's arrival, less the pipeline: both ways of transport, assembling, messages, and on a machine
   * that is too slow the wait for the frame before.
   */
  readonly overhead_ms: Spread;
  readonly node_cpu_percent: number;
  readonly rss_mb: number;
  /** Of it, memory shared with other processes: the camera drivers' and the node's own segments of the DDS transport. */
  readonly rss_shared_mb: number;
  readonly rss_growth_mb: number;
  /** While it was measured: what a robot at work feels. */
  readonly event_loop_block_ms: LoopDelay;
  /** The same with the wait for a processor. */
  readonly event_loop_late_ms: LoopDelay;
  /** From the start of the process to the end of the warm-up, and from the last image to the end of the process. */
  readonly event_loop_block_max_ms: { readonly start_up: number; readonly shutdown: number };
}

export function loadFigures(
  report: PeerReport,
  {
    transport,
    seconds,
    rate,
    depth,
    imageTopics,
    imageBytes,
    usage,
    monitor,
  }: {
    readonly transport: Transport;
    readonly seconds: number;
    /** Images of each camera in a second. */
    readonly rate: number;
    /** Of the node's image subscriptions. */
    readonly depth: number;
    readonly imageTopics: readonly string[];
    readonly imageBytes: number;
    readonly usage: Usage;
    readonly monitor: MonitorReport;
  },
): LoadFigures {
  const after = report.diagnostics.at(-1)!.values;
  const growth = (component: string, key: string): number =>
    Number(after[component]![key]) - Number(report.before[component]![key]);
  const stamps = report.frames.map(({ stamp }) => stamp);
  const fates = imageTopics.map((topic) =>
    imageFates(stamps, monitor.taken[topic] ?? [], { depth, periodMs: 1000 / rate }),
  );
  const sum = (key: keyof (typeof fates)[number]): number => fates.reduce((all, fate) => all + fate[key], 0);
  const sentAt = new Map(report.frames.map((frame) => [frame.stamp, frame.sent]));
  const frames = report.results.flatMap(({ stamp, at }) => {
    const [last, pipeline] = [sentAt.get(stamp), pipelineOf(report, at)];
    return last === undefined || pipeline === undefined
      ? []
      : [{ age: (at - stamp) / 1e6, pipeline, overhead: (at - last) / 1e6 - pipeline }];
  });
  return {
    ...{ transport, seconds, image_bytes: Math.round(imageBytes), sent: stamps.length * fates.length },
    ...{ received: sum('received'), overwritten: sum('overwritten'), lost: sum('lost') },
    processed: growth('processing', 'frames processed'),
    dropped: growth('processing', 'frames dropped'),
    age_ms: spread(frames.map(({ age }) => age)),
    pipeline_ms: spread(frames.map(({ pipeline }) => pipeline)),
    overhead_ms: spread(frames.map(({ overhead }) => overhead)),
    node_cpu_percent: usage.cpuPercent,
    rss_mb: usage.rssMb,
    rss_shared_mb: usage.rssSharedMb,
    rss_growth_mb: usage.rssGrowthMb,
    event_loop_block_ms: monitor.loop.steady.kept,
    event_loop_late_ms: monitor.loop.steady.late,
    event_loop_block_max_ms: {
      start_up: monitor.loop.startUp.kept.max,
      shutdown: monitor.loop.shutdown.kept.max,
    },
  };
}

/** Of the frame whose result came at that time: diagnostics come as often as frames, the next ones tell of it. */
function pipelineOf({ diagnostics }: PeerReport, at: number): number | undefined {
  const told = diagnostics.find((array) => array.at >= at && 'total ms p50' in array.values['processing']!);
  return told && Number(told.values['processing']!['total ms p50']);
}

function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}
