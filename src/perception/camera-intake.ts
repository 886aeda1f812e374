import type { CameraInfo } from '../geometry/camera-info.js';
import { TransformBuffer, type StampedTransform } from '../geometry/transform-buffer.js';
import { BdcError } from '../errors.js';
import type { EgoMotionSource } from './ego-motion.js';
import { CameraSynchronizer, type ClockJump, type SynchronizerStatistics } from './camera-synchronizer.js';
import { FaultLog, type FaultCount } from './fault-log.js';
import { RigAssembler } from './rig-assembler.js';
import type { CameraFrame, CameraImage, CameraRig, EgoPose, StampNs } from './types.js';

export interface IntakeOptions {
  /** Names, in the order of the rig. */
  readonly cameras: readonly string[];
  readonly anchor: string;
  readonly baseFrame: string;
  readonly maxSpreadMs: number;
  readonly maxWaitMs: number;
  /** Silence after which a camera is dead, in milliseconds; default: never. */
  readonly cameraTimeoutMs?: number;
  /** The tree of frames; default: one of its own. */
  readonly transforms?: TransformBuffer;
  /** Frames carry the pose that this gives at their stamp, and wait for it as for transforms. */
  readonly egoMotion?: EgoMotionSource;
  readonly onFrame: (frame: RiggedFrame) => void;
  /** Stamps went back by more than a second, and everything that belongs to the time before was forgotten. */
  readonly onTimeJump?: () => void;
}

/** Images and the cameras that took them. `rig` is the same object as before for as long as nothing changed in it. */
export interface RiggedFrame {
  readonly frame: CameraFrame;
  readonly rig: CameraRig;
}

export interface IntakeStatistics {
  readonly synchronizer: SynchronizerStatistics;
  /** Frames that no camera could be used of. */
  readonly droppedFrames: number;
  /** Frames that went out without the robot's pose, though there is a source of ego motion. */
  readonly framesWithoutPose: number;
  /** Why frames were dropped and why cameras were left out of frames, by code and camera. */
  readonly faults: readonly FaultCount[];
}

/**
 * From camera streams, calibration and transforms to frames with their rig: what the node and the replay of bags have in common. A camera
 * without (valid) calibration or transform is left out and counted. A frame none of whose cameras has both waits until the next frame comes.
 * One that is ahead of a camera's transforms or of the robot's poses waits for them as long as frames wait for late cameras, and at most
 * until the next frame comes.
 */
export class CameraIntake {
  readonly #onFrame: (frame: RiggedFrame) => void;
  readonly #transforms: TransformBuffer;
  readonly #egoMotion: EgoMotionSource | undefined;
  readonly #synchronizer: CameraSynchronizer;
  readonly #rigs: RigAssembler;
  readonly #faults = new FaultLog();
  readonly #maxWaitMs: number;
  #waiting: CameraFrame | undefined;
  #waitTimer: NodeJS.Timeout | undefined;
  #droppedFrames = 0;
  #framesWithoutPose = 0;

  /** @throws RangeError as CameraSynchronizer does */
  constructor({
    onFrame,
    onTimeJump,
    baseFrame,
    transforms = new TransformBuffer(),
    egoMotion,
    cameraTimeoutMs = Infinity,
    ...synchronizer
  }: IntakeOptions) {
    this.#onFrame = onFrame;
    this.#transforms = transforms;
    this.#egoMotion = egoMotion;
    this.#maxWaitMs = synchronizer.maxWaitMs;
    this.#rigs = new RigAssembler(baseFrame, synchronizer.cameras, this.#transforms);
    this.#synchronizer = new CameraSynchronizer({
      ...synchronizer,
      timeoutMs: cameraTimeoutMs,
      onFrame: (frame) => this.#take(frame),
      onTimeJump: () => {
        this.#forget();
        onTimeJump?.();
      },
      onBadStamp: (camera, error) => this.#faults.add(error, camera),
    });
  }

  get statistics(): IntakeStatistics {
    return {
      synchronizer: this.#synchronizer.statistics,
      droppedFrames: this.#droppedFrames,
      framesWithoutPose: this.#framesWithoutPose,
      faults: this.#faults.counts,
    };
  }

  /** @param frameId optical frame: `header.frame_id` of the message */
  addCameraInfo(camera: string, frameId: string, info: CameraInfo): void {
    if (this.#rigs.setCalibration(camera, frameId, info)) this.#retry();
  }

  calibrationOf(camera: string): { readonly frameId: string; readonly info: CameraInfo } | undefined {
    return this.#rigs.calibrationOf(camera);
  }

  /** A transform that cannot be used is counted, not thrown: others of the same message may be fine. */
  addTransform(transform: StampedTransform, { isStatic }: { readonly isStatic: boolean }): void {
    try {
      if (isStatic) this.#transforms.setStatic(transform);
      else this.#transforms.setDynamic(transform);
    } catch (error) {
      if (!(error instanceof BdcError)) throw error;
      this.#faults.add(error);
      return;
    }
    this.#retry();
  }

  /** The source of ego motion knows a newer pose. */
  poseArrived(): void {
    this.#retry();
  }

  addImage(camera: string, image: CameraImage): void {
    this.#synchronizer.add(camera, image);
  }

  /** Counts something that came in and could not be read. */
  reject(error: BdcError, camera?: string): void {
    this.#faults.add(error, camera);
  }

  /** Gives out the frames that still wait: there is nothing more to come. */
  flush(): void {
    this.#synchronizer.flush();
    this.#settle();
  }

  /**
   * Forgets images, frames that wait and moving transforms; calibration and static transforms stay.
   * @param jump as CameraSynchronizer.clear takes it
   */
  clear(jump?: ClockJump): void {
    this.#synchronizer.clear(jump);
    this.#forget();
  }

  #forget(): void {
    if (this.#takeWaiting() !== undefined) this.#droppedFrames++;
    this.#transforms.clear();
    this.#egoMotion?.clear();
  }

  #take(frame: CameraFrame): void {
    this.#settle();
    this.#waiting = frame;
    this.#retry();
  }

  /** Gives out the frame that waits if all that can be known of its cameras and its pose is known. */
  #retry(): void {
    if (this.#waiting === undefined) return;
    const { rig, isFinal } = this.#rigs.assemble(this.#waiting);
    // nothing is held up: without any camera there is nothing to give out
    if (rig === undefined) return;
    const isComplete = isFinal && !this.#mayPoseCome(this.#waiting.stamp);
    if (isComplete || this.#maxWaitMs === 0) this.#settle();
    else if (Number.isFinite(this.#maxWaitMs))
      this.#waitTimer ??= setTimeout(() => this.#settle(), this.#maxWaitMs);
  }

  #takeWaiting(): CameraFrame | undefined {
    const frame = this.#waiting;
    clearTimeout(this.#waitTimer);
    this.#waitTimer = undefined;
    this.#waiting = undefined;
    return frame;
  }

  /** Gives out the frame that waits with the cameras that it has, or drops it. */
  #settle(): void {
    const frame = this.#takeWaiting();
    if (frame === undefined) return;
    const { rig, used, faults } = this.#rigs.assemble(frame);
    for (const { camera, error } of faults) this.#faults.add(error, camera);
    if (rig === undefined) {
      this.#droppedFrames++;
      return;
    }
    const egoPose = this.#poseAt(frame.stamp);
    const images = used.map((i) => frame.images[i]);
    this.#onFrame({ rig, frame: { stamp: frame.stamp, images, ...(egoPose && { egoPose }) } });
  }

  /** Whether the pose at that time isn't known yet; a live source that has told nothing at all isn't waited for. */
  #mayPoseCome(stamp: StampNs): boolean {
    try {
      this.#egoMotion?.poseAt(stamp);
      return false;
    } catch (error) {
      if (!(error instanceof BdcError)) throw error;
      return error.code === 'TRANSFORM_OUT_OF_TIME' || !Number.isFinite(this.#maxWaitMs);
    }
  }

  #poseAt(stamp: StampNs): EgoPose | undefined {
    try {
      return this.#egoMotion?.poseAt(stamp);
    } catch (error) {
      if (!(error instanceof BdcError)) throw error;
      this.#framesWithoutPose++;
      this.#faults.add(error);
      return undefined;
    }
  }
}
