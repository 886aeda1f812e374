import { BdcError } from '../errors.js';
import { TransformBuffer, type StampedTransform } from '../geometry/transform-buffer.js';
import type { EgoPose, StampNs } from './types.js';

/** Where the robot was at a stamp. */
export interface EgoMotionSource {
  /**
   * @throws BdcError of kind `transform` where nothing is known of that time
   */
  poseAt(stamp: StampNs): EgoPose;
  /** Forgets everything, after time jumped backwards. */
  clear(): void;
}

/** Poses that odometry messages bring, kept for a bounded time and interpolated. */
export class OdometryMotion implements EgoMotionSource {
  readonly #baseFrame: string;
  readonly #poses: TransformBuffer;
  #frameId: string | undefined;

  /** @param historyNs how far back poses are kept, behind the newest */
  constructor(baseFrame: string, historyNs: bigint) {
    this.#baseFrame = baseFrame;
    this.#poses = new TransformBuffer({ historyNs });
  }

  /** @throws BdcError `ODOMETRY_FRAME` where the pose is of another frame than the base frame, `TRANSFORM_INVALID` for no frame at all */
  add(pose: StampedTransform): void {
    if (pose.child.replace(/^\//, '') !== this.#baseFrame) {
      throw new BdcError('transform', {
        code: 'ODOMETRY_FRAME',
        message: `expected odometry of "${this.#baseFrame}" (child_frame_id), found "${pose.child}"; set base_frame, or use ego_motion.source: tf`,
      });
    }
    this.#poses.setDynamic(pose);
    this.#frameId = pose.parent;
  }

  poseAt(stamp: StampNs): EgoPose {
    if (this.#frameId === undefined) {
      throw new BdcError('transform', {
        code: 'ODOMETRY_MISSING',
        message: 'no odometry was received yet; check ego_motion.odom_topic',
      });
    }
    return {
      frameId: this.#frameId,
      worldFromBase: this.#poses.lookup(this.#frameId, this.#baseFrame, stamp),
    };
  }

  clear(): void {
    this.#poses.clear();
  }
}

/** Poses from the tree of frames (/tf), which belongs to the intake and is cleared by it. */
export class TransformMotion implements EgoMotionSource {
  readonly #transforms: TransformBuffer;
  readonly #frames: { readonly odom: string; readonly base: string };

  constructor(transforms: TransformBuffer, frames: { readonly odom: string; readonly base: string }) {
    this.#transforms = transforms;
    this.#frames = frames;
  }

  poseAt(stamp: StampNs): EgoPose {
    const { odom, base } = this.#frames;
    return { frameId: odom, worldFromBase: this.#transforms.lookup(odom, base, stamp) };
  }

  clear(): void {}
}
