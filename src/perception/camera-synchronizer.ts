import { BdcError } from '../errors.js';
import { CameraLiveness, type Liveness } from './camera-liveness.js';
import type { CameraFrame, CameraImage, StampNs } from './types.js';

export interface SynchronizerOptions {
  /** Names, in the rig's order. */
  readonly cameras: readonly string[];
  /** The camera whose images make a frame; the others are matched to its stamps. While it is dead the first live one stands in. */
  readonly anchor: string;
  /** How far another camera's stamp may be from the anchor's, in milliseconds. */
  readonly maxSpreadMs: number;
  /** How long a frame waits for late cameras after the anchor's image came, in milliseconds; Infinity waits for the next anchor image. */
  readonly maxWaitMs: number;
  /** Silence after which a camera is dead, in milliseconds of this machine's clock; default Infinity: never (a bag has no such time). */
  readonly timeoutMs?: number;
  readonly onFrame: (frame: CameraFrame) => void;
  /** Stamps went back by more than a second (a bag that loops): what was held has been cleared. */
  readonly onTimeJump?: () => void;
  /** An image was left out because its stamp alone was more than a second behind. */
  readonly onBadStamp?: (camera: string, error: BdcError) => void;
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
  /** Images older than the one before, or of the same stamp, where time did not jump. */
  outOfOrder: number;
  /** Images of the time before, when time jumped back: those held, and those that came afterwards. */
  cleared: number;
}

/** A camera as it is now. */
export interface CameraState extends Readonly<CameraCounts> {
  readonly liveness: Liveness;
  /** Milliseconds since its last image; undefined before the first. */
  readonly silenceMs: number | undefined;
  /** How far its newest stamp is behind that of the newest frame, in milliseconds; undefined before either. */
  readonly lagMs: number | undefined;
  /** Frames in a row without it; an image that is not behind the frames ends the row. */
  readonly missedInARow: number;
}

export interface SynchronizerStatistics {
  readonly frames: number;
  readonly timeJumps: number;
  /** The camera whose images make frames now: the anchor, or who stands in for it. */
  readonly anchor: string;
  readonly cameras: Readonly<Record<string, CameraState>>;
}

/** A clock that jumped back. */
export interface ClockJump {
  /** What it told last before. */
  readonly from: StampNs;
  /** What it tells now. */
  readonly now: () => StampNs;
}

interface Camera {
  readonly name: string;
  readonly counts: CameraCounts;
  readonly life: CameraLiveness;
  /** Oldest first, at most KEPT_IMAGES. */
  held: CameraImage[];
  newestStamp: StampNs | undefined;
  /** Its last image, if that was more than a second behind: the first one of a time that jumped back, or a bad stamp. */
  suspect: CameraImage | undefined;
  /** Until its first image of the time after it. */
  jump: ClockJump | undefined;
  /** Frames in a row without this camera, since its last image that was not behind. */
  missedInARow: number;
}

interface PendingFrame {
  readonly anchorImage: CameraImage;
  readonly timer: NodeJS.Timeout | undefined;
}

/** Two, so that the image nearest to the anchor's stamp is still there when the next one overtakes the anchor. */
const KEPT_IMAGES = 2;
/** Frames no longer wait for a camera that missed so many in a row, until it is back. */
const UNAWAITED_AFTER_MISSES = 3;
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
  readonly #cameras: readonly Camera[];
  /** As configured. */
  readonly #wantedAnchor: Camera;
  #anchor: Camera;
  #pending: PendingFrame | undefined;
  /** Stamp of the frame that went out last, and who was not in it. */
  #last: { readonly stamp: StampNs; readonly without: ReadonlySet<Camera> } | undefined;
  #frames = 0;
  #timeJumps = 0;

  /** @throws RangeError if the anchor is not among the cameras, a name comes twice, a time is negative, or the spread not finite */
  constructor(options: SynchronizerOptions) {
    const { cameras, anchor, maxSpreadMs, maxWaitMs, timeoutMs = Infinity } = options;
    if (new Set(cameras).size !== cameras.length) {
      throw new RangeError(`camera names must differ, found ${cameras.join(', ')}`);
    }
    if (!(maxSpreadMs >= 0 && maxWaitMs >= 0 && timeoutMs >= 0 && Number.isFinite(maxSpreadMs))) {
      throw new RangeError(
        `spread, wait and timeout must be 0 or more milliseconds, found ${maxSpreadMs}, ${maxWaitMs} and ${timeoutMs}`,
      );
    }
    this.#options = options;
    this.#maxSpreadNs = BigInt(Math.round(maxSpreadMs * 1e6));
    this.#cameras = cameras.map((name) => ({
      name,
      counts: { received: 0, used: 0, missing: 0, late: 0, replaced: 0, outOfOrder: 0, cleared: 0 },
      life: new CameraLiveness(timeoutMs),
      held: [],
      newestStamp: undefined,
      suspect: undefined,
      jump: undefined,
      missedInARow: 0,
    }));
    const anchorState = this.#cameras.find((camera) => camera.name === anchor);
    if (anchorState === undefined) {
      throw new RangeError(
        `the anchor camera must be one of ${cameras.join(', ') || '(no cameras)'}, found ${anchor}`,
      );
    }
    this.#wantedAnchor = anchorState;
    this.#anchor = anchorState;
  }

  get statistics(): SynchronizerStatistics {
    return {
      frames: this.#frames,
      timeJumps: this.#timeJumps,
      anchor: this.#anchor.name,
      cameras: Object.fromEntries(this.#cameras.map((camera) => [camera.name, this.#stateOf(camera)])),
    };
  }

  /** @throws RangeError for a name that is not one of the cameras */
  add(name: string, image: CameraImage): void {
    const camera = this.#cameras.find((candidate) => candidate.name === name);
    if (camera === undefined) throw new RangeError(`there is no camera ${name}`);
    camera.counts.received++;
    if (isOfTimeBefore(image, camera.jump)) {
      camera.counts.cleared++;
      return;
    }
    camera.jump = undefined;
    if (camera.newestStamp === undefined || image.stamp > camera.newestStamp) {
      this.#rejectSuspect(camera);
      this.#take(camera, image);
    } else if (camera.newestStamp - image.stamp < BACKWARD_JUMP_NS) camera.counts.outOfOrder++;
    else if (this.#isJump(camera, image)) this.#jump(camera, image);
    else {
      this.#rejectSuspect(camera);
      camera.suspect = image;
    }
  }

  /** Gives out the frame that waits, as it is: there is nothing more to come. */
  flush(): void {
    for (const camera of this.#cameras) this.#rejectSuspect(camera);
    this.#emitPending();
  }

  /**
   * Forgets all images and the frame that waits; counts stay.
   * @param jump why, if a clock jumped back: images of the time before that are still on their way are left out too
   */
  clear(jump?: ClockJump): void {
    if (this.#pending !== undefined) {
      clearTimeout(this.#pending.timer);
      this.#anchor.counts.cleared++;
      this.#pending = undefined;
    }
    for (const camera of this.#cameras) {
      camera.counts.cleared += camera.held.length;
      camera.held = [];
      camera.newestStamp = undefined;
      if (camera.suspect !== undefined) camera.counts.cleared++;
      camera.suspect = undefined;
      camera.jump = jump;
    }
    this.#last = undefined;
  }

  #emitPending(): void {
    if (this.#pending !== undefined) this.#emit(this.#pending);
  }

  #take(camera: Camera, image: CameraImage): void {
    camera.newestStamp = image.stamp;
    camera.life.arrived();
    this.#chooseAnchor();
    // one that lags does not count as back: every frame would wait for it in vain
    if (this.#last === undefined || image.stamp >= this.#last.stamp - this.#maxSpreadNs)
      camera.missedInARow = 0;
    if (camera === this.#anchor) this.#startFrame(image);
    else this.#hold(camera, image);
    if (this.#pending !== undefined && this.#isComplete(this.#pending)) this.#emit(this.#pending);
  }

  /** Whether an image that is far behind is not alone: its camera goes on from an earlier one there, or another camera is there too. */
  #isJump(camera: Camera, { stamp }: CameraImage): boolean {
    return this.#cameras.some(
      (each) => each.suspect !== undefined && (each !== camera || stamp > each.suspect.stamp),
    );
  }

  /** Forgets the time before; the images that gave the jump away are the first ones of the time after it. */
  #jump(camera: Camera, image: CameraImage): void {
    const first = this.#cameras.flatMap((each) => (each.suspect ? [{ each, suspect: each.suspect }] : []));
    for (const { each } of first) each.suspect = undefined;
    this.#timeJumps++;
    this.clear();
    this.#options.onTimeJump?.();
    for (const { each, suspect } of first) this.#take(each, suspect);
    this.#take(camera, image);
  }

  #rejectSuspect(camera: Camera): void {
    const { name, counts, newestStamp, suspect } = camera;
    if (suspect === undefined) return;
    camera.suspect = undefined;
    counts.outOfOrder++;
    const error = new BdcError('camera', {
      code: 'CAMERA_STAMP_BACK',
      message:
        `camera ${name}: expected a stamp near ${seconds(newestStamp!)} s, found ${seconds(suspect.stamp)} s on a single image, which is left ` +
        'out; check how its driver stamps images',
    });
    this.#options.onBadStamp?.(name, error);
  }

  /** The configured anchor unless it is dead; then the first camera that is alive, so that frames go on. */
  #chooseAnchor(): void {
    const isDead = ({ life }: Camera): boolean => life.state === 'dead';
    const chosen = isDead(this.#wantedAnchor)
      ? (this.#cameras.find((camera) => camera.life.isSteady) ?? this.#wantedAnchor)
      : this.#wantedAnchor;
    if (chosen === this.#anchor) return;
    this.#emitPending();
    this.#anchor = chosen;
    chosen.counts.replaced += chosen.held.length;
    chosen.held = [];
  }

  #stateOf({ counts, life, newestStamp, missedInARow }: Camera): CameraState {
    const isKnown = newestStamp !== undefined && this.#last !== undefined;
    return {
      ...counts,
      liveness: life.state,
      silenceMs: life.silenceMs,
      lagMs: isKnown ? Number(this.#last!.stamp - newestStamp) / 1e6 : undefined,
      missedInARow,
    };
  }

  #startFrame(anchorImage: CameraImage): void {
    this.#emitPending();
    // an anchor that took over, or took back, may be behind the frames of the one before
    if (this.#last !== undefined && anchorImage.stamp <= this.#last.stamp) {
      this.#anchor.counts.late++;
      return;
    }
    const { maxWaitMs } = this.#options;
    this.#pending = {
      anchorImage,
      timer: Number.isFinite(maxWaitMs) ? setTimeout(() => this.#emit(this.#pending!), maxWaitMs) : undefined,
    };
  }

  #hold(camera: Camera, image: CameraImage): void {
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
        camera.missedInARow >= UNAWAITED_AFTER_MISSES ||
        camera.life.state === 'dead' ||
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
    const without = new Set<Camera>();
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
  #takeNearest(camera: Camera, stamp: StampNs): CameraImage | undefined {
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

const seconds = (ns: StampNs): string => (Number(ns) / 1e9).toFixed(3);

/** Whether it is nearer to the time before the jump than to the time now; stamps far from both are of another clock. */
function isOfTimeBefore({ stamp }: CameraImage, jump: ClockJump | undefined): boolean {
  if (jump === undefined) return false;
  const now = jump.now();
  const toTimeBefore = distance(stamp, jump.from);
  return toTimeBefore < distance(stamp, now) && toTimeBefore < jump.from - now;
}

const distance = (a: StampNs, b: StampNs): bigint => (a > b ? a - b : b - a);
