import type { Engine } from '../engine/types.js';
import { BdcError } from '../errors.js';
import { TransformBuffer } from '../geometry/transform-buffer.js';
import { CameraIntake } from '../perception/camera-intake.js';
import type { RiggedFrame } from '../perception/camera-intake.js';
import type { ClockJump } from '../perception/camera-synchronizer.js';
import { FrameProcessor } from '../perception/frame-processor.js';
import type { PerceivedFrame } from '../perception/frame-processor.js';
import { PerceptionPipeline } from '../perception/perception-pipeline.js';
import type { RigView } from '../perception/rig-view.js';
import { subscribeCameras } from './camera-subscriptions.js';
import type { CalibratedCamera } from './camera-subscriptions.js';
import { egoMotionSource } from './ego-motion-subscription.js';
import { FrameMemory } from './frame-memory.js';
import type { FrameStatistics } from './frame-statistics.js';
import type { NodeSettings } from './node-settings.js';
import type { OutputPublishers } from './outputs/output-publishers.js';
import type { RosTime } from './ros-time.js';
import type { ThrottledLog } from './throttled-log.js';
import { subscribeTransforms } from './transform-subscriptions.js';
import type { TypedSubscriptions } from './typed-subscriptions.js';

export interface SessionOptions {
  readonly settings: NodeSettings;
  readonly cameras: readonly CalibratedCamera[];
  readonly subscriptions: TypedSubscriptions;
  readonly engine: Engine;
  readonly outputs: OutputPublishers;
  readonly statistics: FrameStatistics;
  readonly time: RosTime;
  readonly log: ThrottledLog;
  /** Time went back, and what belonged to the time before was forgotten. */
  readonly onTimeJump: () => void;
}

/** The node at work: from camera topics through the pipeline to result topics, from activation to deactivation. */
export class PerceptionSession {
  readonly intake: CameraIntake;
  readonly subscriptions: TypedSubscriptions;
  readonly #options: SessionOptions;
  readonly #pipeline: PerceptionPipeline;
  readonly #frames: FrameProcessor;
  readonly #memory = new FrameMemory();
  #lastFrame: RiggedFrame | undefined;
  #virtualCameras = 0;
  #isClosed = false;

  /** Joins the graph; messages arrive once the node spins. */
  constructor(options: SessionOptions) {
    const { settings, cameras, subscriptions, engine, log, onTimeJump } = options;
    this.#options = options;
    this.subscriptions = subscriptions;
    this.#pipeline = new PerceptionPipeline({
      engine,
      virtualCameras: settings.virtualCameras,
      jpegHalfScale: settings.jpegHalfScale,
      onImageError: (camera, error) => this.intake.reject(error, camera),
    });
    this.#frames = new FrameProcessor(this.#pipeline);
    const transforms = new TransformBuffer({ historyNs: settings.egoMotion.historyNs });
    const egoMotion = egoMotionSource(settings, subscriptions, transforms, {
      onPose: () => this.intake.poseArrived(),
      reject: (error) => log.warn(error.code, `${error.message} [${error.code}]`),
    });
    if (engine.historyBytes > 0 && egoMotion === undefined) {
      log.warn(
        'MODEL_HISTORY_UNUSED',
        'the model keeps the previous frame, but ego_motion.source is none: every frame is computed as the first one; ' +
          'set ego_motion.source to tf or odometry [MODEL_HISTORY_UNUSED]',
      );
    }
    this.intake = new CameraIntake({
      cameras: settings.cameras.map(({ name }) => name),
      anchor: settings.anchorCamera,
      baseFrame: settings.baseFrame,
      maxSpreadMs: settings.maxSpreadMs,
      maxWaitMs: settings.maxWaitMs,
      cameraTimeoutMs: settings.cameraTimeoutMs,
      transforms,
      ...(egoMotion && { egoMotion }),
      onFrame: (frame) => void this.#process(frame),
      onTimeJump: () => {
        this.#forget();
        onTimeJump();
      },
    });
    subscribeTransforms(subscriptions, settings.qos, this.intake);
    subscribeCameras(subscriptions, settings.qos, cameras, this.intake);
  }

  get hasFrame(): boolean {
    return this.#lastFrame !== undefined;
  }

  /**
   * Works on the newest frame that cameras gave, whether it could be processed or not; its images stay for as long as that takes.
   * @returns undefined where there is no frame
   */
  async withLastFrame<Result>(work: (frame: RiggedFrame) => Promise<Result>): Promise<Result | undefined> {
    const frame = this.#lastFrame;
    if (frame === undefined) return undefined;
    this.#memory.hold(frame);
    try {
      return await work(frame);
    } finally {
      this.#memory.drop(frame);
    }
  }

  /** Where the robot was at the newest frame. */
  get lastPose(): RiggedFrame['frame']['egoPose'] {
    return this.#lastFrame?.frame.egoPose;
  }

  /** The clock went back: forgets images, moving transforms, poses and frames of the time before. */
  clear(jump: ClockJump): void {
    this.intake.clear(jump);
    this.#forget();
  }

  /**
   * Ends work in order: no more input, the frame in work dropped. Resolves once nothing uses the engine.
   * @param isGraphGone whether the ROS context is no more, and took the subscriptions with it
   */
  async close(isGraphGone: () => boolean): Promise<void> {
    this.#isClosed = true;
    await Promise.all([this.#frames.close(), this.subscriptions.close(isGraphGone)]);
    this.intake.clear();
    this.#setLastFrame(undefined);
  }

  #forget(): void {
    this.#frames.abandon();
    this.#setLastFrame(undefined);
  }

  #setLastFrame(frame: RiggedFrame | undefined): void {
    if (frame !== undefined) this.#memory.hold(frame);
    if (this.#lastFrame !== undefined) this.#memory.drop(this.#lastFrame);
    this.#lastFrame = frame;
  }

  async #process(input: RiggedFrame): Promise<void> {
    if (this.#isClosed) return;
    const { statistics, log } = this.#options;
    this.#setLastFrame(input);
    this.#memory.hold(input);
    statistics.received();
    let frame: PerceivedFrame | undefined;
    try {
      frame = await this.#frames.process(input);
      if (frame === undefined) statistics.dropped();
      else if (this.#isClosed) statistics.abandoned();
      else this.#publish(frame);
    } catch (error) {
      if ((error as Error).name === 'AbortError') {
        statistics.abandoned();
        return;
      }
      statistics.failed();
      if (error instanceof BdcError) log.warn(error.code, `frame dropped: ${error.message} [${error.code}]`);
      else log.error('defect', `frame dropped by a defect, please report it: ${(error as Error).stack}`);
    } finally {
      this.#memory.drop(input);
    }
  }

  #publish(frame: PerceivedFrame): void {
    const { outputs, statistics, time } = this.#options;
    const start = performance.now();
    this.#tellVirtualCameras(frame.view);
    outputs.publish(frame);
    const now = time.nowNs;
    // before the first /clock there is no time to tell the age by
    const ageMs = now === 0n ? undefined : Number(now - frame.result.stamp) / 1e6;
    statistics.processed(frame.result, performance.now() - start, ageMs);
  }

  #tellVirtualCameras({ virtualCameras, rig }: RigView): void {
    if (virtualCameras === this.#virtualCameras) return;
    this.#virtualCameras = virtualCameras;
    this.#options.log.info(
      'virtual_cameras',
      virtualCameras === 0
        ? 'the network sees the cameras as they are'
        : `the network sees what ${rig.cameras.length} cameras see through ${virtualCameras} virtual ones like those that it was trained ` +
            'with (parameter virtual_cameras)',
    );
  }
}
