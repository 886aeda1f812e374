import type { RigidMotion } from '../engine/types.js';
import type { RigidTransform } from '../geometry/rigid-transform.js';
import type { CameraFrame, EgoPose, HistoryReset, StampNs } from './types.js';

/** When the previous frame is of no use any more: nuScenes' key frames, which temporal networks learn from, are 0.5 s apart. */
const LIMITS = {
  /** Longest time between two frames, seconds. */
  maxGap: 2,
  /** Fastest that a robot moves, m/s, above what a road vehicle reaches; between two frames more than that is a jump of its pose. */
  maxSpeed: 70,
  /** Fastest that it turns, rad/s. */
  maxTurnRate: 2 * Math.PI,
};

/** What jitter of poses may add to the limits: metres, radians. */
const SLACK = { distance: 0.5, angle: 0.1 };

interface Kept {
  readonly stamp: StampNs;
  readonly baseFrame: string;
  readonly pose: EgoPose | undefined;
}

/** Tells for each frame whether the features that the engine keeps are of use to it, and how the robot moved since. One frame is kept. */
export class FrameHistory {
  #kept: Kept | undefined;
  #lost: HistoryReset = 'first';

  /** The motion since the kept frame, or the reason why the frame has to do without. */
  motionTo(frame: CameraFrame, baseFrame: string): RigidMotion | HistoryReset {
    const kept = this.#kept;
    if (kept === undefined) return this.#lost;
    const seconds = Number(frame.stamp - kept.stamp) / 1e9;
    if (seconds <= 0) return 'time_jump';
    if (seconds > LIMITS.maxGap) return 'gap';
    if (frame.egoPose === undefined || kept.pose === undefined) return 'no_pose';
    if (frame.egoPose.frameId !== kept.pose.frameId || baseFrame !== kept.baseFrame) return 'frame_changed';
    const previousFromCurrent = kept.pose.worldFromBase.inverse().compose(frame.egoPose.worldFromBase);
    return this.#isJump(previousFromCurrent, seconds) ? 'teleport' : motionOf(previousFromCurrent);
  }

  /** The engine has this frame's features now. */
  keep({ stamp, egoPose }: CameraFrame, baseFrame: string): void {
    this.#kept = { stamp, baseFrame, pose: egoPose };
  }

  /** What the engine keeps is not known (a frame failed), or is of other cameras. */
  forget(reason: 'failed' | 'cameras_changed'): void {
    this.#kept = undefined;
    this.#lost = reason;
  }

  #isJump({ translation, rotation }: RigidTransform, seconds: number): boolean {
    const { maxSpeed, maxTurnRate } = LIMITS;
    const angle = 2 * Math.acos(Math.min(1, Math.abs(rotation[3])));
    return (
      Math.hypot(...translation) > maxSpeed * seconds + SLACK.distance ||
      angle > maxTurnRate * seconds + SLACK.angle
    );
  }
}

function motionOf({ matrix: m, translation: t }: RigidTransform): RigidMotion {
  return [m[0], m[1], m[2], t[0], m[3], m[4], m[5], t[1], m[6], m[7], m[8], t[2]];
}
