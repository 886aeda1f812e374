import { BdcError } from '../errors.js';
import { RigidTransform } from './rigid-transform.js';

export interface StampedTransform {
  readonly parent: string;
  readonly child: string;
  /** Nanoseconds; not used of a static transform. */
  readonly stamp: bigint;
  /** Takes points of the child frame into the parent frame. */
  readonly transform: RigidTransform;
}

interface Sample {
  readonly stamp: bigint;
  readonly transform: RigidTransform;
}

/** The edge from a frame up to its parent. A static one has one sample, valid at any time. */
interface Edge {
  readonly parent: string;
  readonly isStatic: boolean;
  /** By stamp, oldest first. */
  readonly samples: Sample[];
}

/**
 * The tree of frames that /tf and /tf_static tell, with a bounded history, as tf2's buffer: a dynamic transform is interpolated between
 * the two samples around a stamp (never extrapolated), a frame that gets a new parent forgets the old one.
 */
export class TransformBuffer {
  readonly #historyNs: bigint;
  readonly #edges = new Map<string, Edge>();

  /** @param options.historyNs how far back dynamic transforms are kept, behind the newest of the same frame; default 10 s as in tf2 */
  constructor({ historyNs = 10_000_000_000n }: { readonly historyNs?: bigint } = {}) {
    this.#historyNs = historyNs;
  }

  setStatic({ parent, child, stamp, transform }: StampedTransform): void {
    const [parentFrame, childFrame] = checkedFrames(parent, child);
    this.#edges.set(childFrame, { parent: parentFrame, isStatic: true, samples: [{ stamp, transform }] });
  }

  /** Adds a sample. One that is older than the history is dropped. */
  setDynamic({ parent, child, stamp, transform }: StampedTransform): void {
    const [parentFrame, childFrame] = checkedFrames(parent, child);
    let edge = this.#edges.get(childFrame);
    if (edge === undefined || edge.isStatic || edge.parent !== parentFrame) {
      edge = { parent: parentFrame, isStatic: false, samples: [] };
      this.#edges.set(childFrame, edge);
    }
    const { samples } = edge;
    let position = samples.length;
    while (position > 0 && samples[position - 1]!.stamp > stamp) position--;
    const replaces = position > 0 && samples[position - 1]!.stamp === stamp;
    samples.splice(replaces ? position - 1 : position, replaces ? 1 : 0, { stamp, transform });
    const oldest = samples.at(-1)!.stamp - this.#historyNs;
    const kept = samples.findIndex((sample) => sample.stamp >= oldest);
    samples.splice(0, kept);
  }

  /** Forgets what moves, after time jumped backwards. Static transforms stay, as in tf2: nobody sends them again. */
  clear(): void {
    for (const [frame, { isStatic }] of this.#edges) if (!isStatic) this.#edges.delete(frame);
  }

  /**
   * The transform that takes points of `source` into `target` at a stamp, across the tree.
   * @throws BdcError `TRANSFORM_MISSING` (a frame is unknown, or no path joins the two), `TRANSFORM_OUT_OF_TIME` (the stamp is after what
   *     is known: that may still come) or `TRANSFORM_BEFORE_HISTORY` (it is before, and never will be known); the messages name both
   *     frames, and by how many seconds the stamp misses
   */
  lookup(target: string, source: string, stamp: bigint): RigidTransform {
    const [targetFrame, sourceFrame] = [withoutSlash(target), withoutSlash(source)];
    const wanted = `transform from "${sourceFrame}" to "${targetFrame}"`;
    const sourceChain = this.#chain(sourceFrame, wanted);
    const targetChain = this.#chain(targetFrame, wanted);
    const common = sourceChain.find((frame) => targetChain.includes(frame));
    if (common === undefined) throw this.#missing(wanted, sourceFrame, targetFrame, sourceChain, targetChain);
    const up = (chain: readonly string[]): RigidTransform =>
      chain
        .slice(0, chain.indexOf(common))
        .reduce(
          (below, frame) => this.#sampleAt(frame, stamp, wanted).compose(below),
          RigidTransform.identity,
        );
    return up(targetChain).inverse().compose(up(sourceChain));
  }

  /** The frame and its ancestors, root last. */
  #chain(frame: string, wanted: string): readonly string[] {
    const chain = [frame];
    for (let edge = this.#edges.get(frame); edge !== undefined; edge = this.#edges.get(edge.parent)) {
      if (chain.includes(edge.parent)) {
        throw new BdcError('transform', {
          code: 'TRANSFORM_MISSING',
          message: `no ${wanted}: the frames ${[...chain, edge.parent].join(' → ')} form a loop; two publishers disagree`,
        });
      }
      chain.push(edge.parent);
    }
    return chain;
  }

  #missing(
    wanted: string,
    source: string,
    target: string,
    sourceChain: readonly string[],
    targetChain: readonly string[],
  ): BdcError {
    const isKnown = (frame: string): boolean =>
      this.#edges.has(frame) || [...this.#edges.values()].some((edge) => edge.parent === frame);
    const unknown = [source, target].filter((frame) => !isKnown(frame));
    const why =
      unknown.length > 0
        ? `nothing was received about ${unknown.map((frame) => `"${frame}"`).join(' and ')}`
        : `"${source}" belongs to the tree of "${sourceChain.at(-1)}", "${target}" to that of "${targetChain.at(-1)}"`;
    return new BdcError('transform', {
      code: 'TRANSFORM_MISSING',
      message: `no ${wanted}: ${why}; check /tf and /tf_static`,
    });
  }

  #sampleAt(frame: string, stamp: bigint, wanted: string): RigidTransform {
    const { parent, isStatic, samples } = this.#edges.get(frame)!;
    if (isStatic) return samples[0]!.transform;
    const after = samples.findIndex((sample) => sample.stamp >= stamp);
    if (samples[after]?.stamp === stamp) return samples[after].transform;
    if (after <= 0) {
      const edgeName = `"${frame}" in "${parent}"`;
      const [code, gap, word] =
        after === 0
          ? ['TRANSFORM_BEFORE_HISTORY', samples[0]!.stamp - stamp, 'before the oldest']
          : ['TRANSFORM_OUT_OF_TIME', stamp - samples.at(-1)!.stamp, 'after the newest'];
      throw new BdcError('transform', {
        code,
        message:
          `no ${wanted} at ${seconds(stamp)} s: that is ${seconds(gap)} s ${word} known pose of ${edgeName}; ` +
          'check that its publisher runs and that all clocks agree',
      });
    }
    const [from, to] = [samples[after - 1]!, samples[after]!];
    const fraction = Number(stamp - from.stamp) / Number(to.stamp - from.stamp);
    return from.transform.interpolate(to.transform, fraction);
  }
}

function checkedFrames(parent: string, child: string): readonly [string, string] {
  const frames = [withoutSlash(parent), withoutSlash(child)] as const;
  if (frames[0] === '' || frames[1] === '' || frames[0] === frames[1]) {
    throw new BdcError('transform', {
      code: 'TRANSFORM_INVALID',
      message: `a transform needs two different frame names, found parent "${parent}" and child "${child}"`,
    });
  }
  return frames;
}

/** tf2 has no leading slashes; tf, before it, had. */
const withoutSlash = (frame: string): string => frame.replace(/^\//, '');

const seconds = (ns: bigint): string => (Number(ns) / 1e9).toFixed(3);
