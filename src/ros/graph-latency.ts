import type { RunFigures } from '../expectation/threshold-run.js';

/** Which images became results, and how long that took from the image's publishing to the result's arrival. */
export class GraphLatency {
  /** When an image of that stamp went out (ms), by topic. */
  readonly #sent = new Map<string, Map<bigint, number>>();
  readonly #received = new Map<bigint, number>();

  sent(topic: string, stamp: bigint): void {
    const stamps = this.#sent.get(topic) ?? new Map<bigint, number>();
    this.#sent.set(topic, stamps.set(stamp, performance.now()));
  }

  received(stamp: bigint): void {
    this.#received.set(stamp, performance.now());
  }

  /** Results carry the stamps of the anchor camera: the topic whose stamps most of them have is the anchor's. */
  figures(): Pick<RunFigures, 'frames' | 'latency_ms'> {
    const [anchor] = [...this.#sent.values()]
      .map((stamps) => ({ images: stamps.size, latencies: this.#latencies(stamps) }))
      .toSorted((a, b) => b.latencies.length - a.latencies.length);
    const latencies = (anchor?.latencies ?? []).toSorted((a, b) => a - b);
    const received = anchor?.images ?? 0;
    const at = (share: number): number => latencies[Math.ceil(share * latencies.length) - 1] ?? NaN;
    return {
      frames: { received, processed: latencies.length, dropped: received - latencies.length },
      latency_ms: { p50: at(0.5), p99: at(0.99), max: at(1) },
    };
  }

  #latencies(stamps: ReadonlyMap<bigint, number>): readonly number[] {
    return [...this.#received].flatMap(([stamp, at]) => (stamps.has(stamp) ? [at - stamps.get(stamp)!] : []));
  }
}
