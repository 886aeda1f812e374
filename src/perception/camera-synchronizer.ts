import type { CameraFrame, CameraImage, StampNs } from './types.js';

export interface SynchronizerOptions {
  /** Names, in the rig's order. */
  readonly cameras: readonly string[];
  /** The camera whose images make a frame; the others are matched to its stamps. */
  readonly anchor: string;
  /** How far another camera's stamp may be from the anchor's, in milliseconds. */
  readonly maxSpreadMs: number;
  /** How long a frame waits for late cameras after the anchor's image came, in milliseconds; Infinity waits for the next anchor image. */
  readonly maxWaitMs: number;
  readonly onFrame: (frame: CameraFrame) => void;
  /** Stamps went back by more than a second (a bag that loops): what was held has been cleared. */
  readonly onTimeJump?: () => void;
}

/** Counts since the start, of one camera. */
export interface CameraCounts {
  received: number;
  /** Images that went into a frame. */
  used: number;
  /** Frames that went out without this camera. */
  missing: number;
  /** Images that came after their frame had gone out. */
  late: number;
  /** Images that a newer one of the same camera took the place of. */
  replaced: number;
  /** Images older than the one before, or of the same stamp. */
  outOfOrder: number;
  /** Images held when time jumped back. */
  cleared: number;
}

export interface SynchronizerStatistics {
  readonly frames: number;
  readonly timeJumps: number;
  readonly cameras: Readonly<Record<string, Readonly<CameraCounts>>>;
}

interface CameraState {
  readonly name: string;
  readonly counts: CameraCounts;
  /** Oldest first, at most KEPT_IMAGES. */
  held: CameraImage[];
  newestStamp: StampNs | undefined;
  /** Frames in a row without this camera, since its last image. */
  missedInARow: number;
}

interface PendingFrame {
  readonly anchorImage: CameraImage;
  readonly timer: NodeJS.Timeout | undefined;
}

/** Two, so that the image nearest to the anchor's stamp is still there when the next one overtakes the anchor. */
const KEPT_IMAGES = 2;
/** A camera that missed so many frames is dead: frames no longer wait for it until it is back. */
const DEAD_AFTER_MISSES = 3;
const BACKWARD_JUMP_NS = 1_000_000_000n;

/**
 * Makes one set of images out of several camera streams. A frame starts with an image of the anchor camera and takes from each other
 * camera the image nearest in time, if that is within the spread. It goes out as soon as every live camera has one, when it has waited
 * long enough, or when the next anchor image comes; a camera without an image is undefined in it. Memory is bounded by two images a
 * camera.
 */
export class CameraSynchronizer {
  readonly #options: SynchronizerOptions;
  readonly #maxSpreadNs: bigint;
  readonly #cameras: readonly CameraState[];
  readonly #anchor: CameraState;
  #pending: PendingFrame | undefined;
  /** Stamp of the frame that went out last, and who was not in it. */
  #last: { readonly stamp: StampNs; readonly without: ReadonlySet<CameraState> } | undefined;
  #frames = 0;
  #timeJumps = 0;

  /** @throws RangeError if the anchor is not among the cameras, a name comes twice, a time is negative, or the spread not finite */
  constructor(options: SynchronizerOptions) {
    const { cameras, anchor, maxSpreadMs, maxWaitMs } = options;
    if (new Set(cameras).size !== cameras.length) {
      throw new RangeError(`camera names must differ, found ${cameras.join(', ')}`);
    }
    if (!(maxSpreadMs >= 0 && maxWaitMs >= 0 && Number.isFinite(maxSpreadMs))) {
      throw new RangeError(
        `spread and wait must be 0 or more milliseconds, found ${maxSpreadMs} and ${maxWaitMs}`,
      );
    }
    this.#options = options;
    this.#maxSpreadNs = BigInt(Math.round(maxSpreadMs * 1e6));
    this.#cameras = cameras.map((name) => ({
      name,
      counts: { received: 0, used: 0, missing: 0, late: 0, replaced: 0, outOfOrder: 0, cleared: 0 },
      held: [],
      newestStamp: undefined,
      missedInARow: 0,
    }));
    const anchorState = this.#cameras.find((camera) => camera.name === anchor);
    if (anchorState === undefined) {
      throw new RangeError(
        `the anchor camera must be one of ${cameras.join(', ') || '(no cameras)'}, found ${anchor}`,
      );
    }
    this.#anchor = anchorState;
  }

  get statistics(): SynchronizerStatistics {
    return {
      frames: this.#frames,
      timeJumps: this.#timeJumps,
      cameras: Object.fromEntries(this.#cameras.map(({ name, counts }) => [name, { ...counts }])),
    };
  }

  /** @throws RangeError for a name that is not one of the cameras */
  add(name: string, image: CameraImage): void {
    const camera = this.#cameras.find((candidate) => candidate.name === name);
    if (camera === undefined) throw new RangeError(`there is no camera ${name}`);
    camera.counts.received++;
    if (camera.newestStamp !== undefined && image.stamp <= camera.newestStamp) {
      if (camera.newestStamp - image.stamp < BACKWARD_JUMP_NS) {
        camera.counts.outOfOrder++;
        return;
      }
      this.#timeJumps++;
      this.clear();
      this.#options.onTimeJump?.();
    }
    camera.newestStamp = image.stamp;
    camera.missedInARow = 0;
    if (camera === this.#anchor) this.#startFrame(image);
    else this.#hold(camera, image);
    if (this.#pending !== undefined && this.#isComplete(this.#pending)) this.#emit(this.#pending);
  }

  /** Gives out the frame that waits, as it is: there is nothing more to come. */
  flush(): void {
    if (this.#pending !== undefined) this.#emit(this.#pending);
  }

  /** Forgets all images and the frame that waits; counts stay. */
  clear(): void {
    if (this.#pending !== undefined) {
      clearTimeout(this.#pending.timer);
      this.#anchor.counts.cleared++;
      this.#pending = undefined;
    }
    for (const camera of this.#cameras) {
      camera.counts.cleared += camera.held.length;
      camera.held = [];
      camera.newestStamp = undefined;
    }
    this.#last = undefined;
  }

  #startFrame(anchorImage: CameraImage): void {
    this.flush();
    const { maxWaitMs } = this.#options;
    this.#pending = {
      anchorImage,
      timer: Number.isFinite(maxWaitMs) ? setTimeout(() => this.#emit(this.#pending!), maxWaitMs) : undefined,
    };
  }

  #hold(camera: CameraState, image: CameraImage): void {
    if (this.#last?.without.has(camera) && this.#isNear(image, this.#last.stamp)) {
      camera.counts.late++;
      return;
    }
    camera.held.push(image);
    if (camera.held.length > KEPT_IMAGES) {
      camera.held.shift();
      camera.counts.replaced++;
    }
  }

  /** Whether there is nothing left to wait for: each camera has its image, is past the frame's time, or is dead. */
  #isComplete({ anchorImage: { stamp } }: PendingFrame): boolean {
    return this.#cameras.every(
      (camera) =>
        camera === this.#anchor ||
        camera.missedInARow >= DEAD_AFTER_MISSES ||
        camera.held.some((image) => image.stamp >= stamp - this.#maxSpreadNs),
    );
  }

  #emit({ anchorImage, timer }: PendingFrame): void {
    clearTimeout(timer);
    this.#pending = undefined;
    const { stamp } = anchorImage;
    const images = this.#cameras.map((camera) =>
      camera === this.#anchor ? anchorImage : this.#takeNearest(camera, stamp),
    );
    const without = new Set<CameraState>();
    this.#cameras.forEach((camera, i) => {
      if (images[i] !== undefined) {
        camera.counts.used++;
        return;
      }
      camera.counts.missing++;
      camera.missedInARow++;
      without.add(camera);
    });
    this.#last = { stamp, without };
    this.#frames++;
    this.#options.onFrame({ stamp, images });
  }

  /** Removes the nearest image within the spread, and those before it, which no later frame would choose. */
  #takeNearest(camera: CameraState, stamp: StampNs): CameraImage | undefined {
    let best: number | undefined;
    camera.held.forEach((image, i) => {
      const nearest = best === undefined ? undefined : camera.held[best]!;
      if (!this.#isNear(image, stamp)) return;
      if (nearest === undefined || distance(image.stamp, stamp) < distance(nearest.stamp, stamp)) best = i;
    });
    if (best === undefined) return undefined;
    const [chosen, ...unused] = camera.held.splice(0, best + 1).reverse();
    camera.counts.replaced += unused.length;
    return chosen;
  }

  #isNear(image: CameraImage, stamp: StampNs): boolean {
    return distance(image.stamp, stamp) <= this.#maxSpreadNs;
  }
}

const distance = (a: StampNs, b: StampNs): bigint => (a > b ? a - b : b - a);
