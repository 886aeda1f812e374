import { RigidTransform } from '../geometry/rigid-transform.js';
import type {
  CameraInfo,
  Detection3DArray,
  Header,
  Odometry,
  Pose,
  TransformStamped,
} from '../messages/ros-types.js';
import type { Capture } from './capture.js';
import type { SimulatedCamera, SimulatedRig } from './rig.js';

export const BASE_FRAME = 'base_link';
export const ODOM_FRAME = 'odom';
const LIDAR_FRAME = 'lidar_top';

/** `CAM_FRONT_LEFT` → `front_left`, the name in topics and frames. */
export function cameraName({ channel }: SimulatedCamera): string {
  return channel.replace(/^CAM_/, '').toLowerCase();
}

/** REP-103: x right, y down, z forward. */
export function opticalFrame(camera: SimulatedCamera): string {
  return `${cameraName(camera)}_optical`;
}

/** Where the sensors are mounted, for /tf_static. */
export function mountTransforms(rig: SimulatedRig, stamp: Header['stamp']): TransformStamped[] {
  return [
    ...rig.cameras.map((camera) =>
      transformMessage(stamp, BASE_FRAME, opticalFrame(camera), camera.egoFromCamera),
    ),
    transformMessage(stamp, BASE_FRAME, LIDAR_FRAME, rig.egoFromLidar),
  ];
}

/** Of the raw image; P is the same pinhole without distortion. */
export function cameraInfo(camera: SimulatedCamera, stamp: Header['stamp']): CameraInfo {
  const [fx, fy, cx, cy] = camera.intrinsics;
  const { distortion } = camera.lens;
  return {
    header: { stamp, frame_id: opticalFrame(camera) },
    height: camera.height,
    width: camera.width,
    distortion_model: distortion?.model ?? 'plumb_bob',
    d: [...(distortion?.coefficients ?? [0, 0, 0, 0, 0])],
    k: [fx, 0, cx, 0, fy, cy, 0, 0, 1],
    r: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    p: [fx, 0, cx, 0, 0, fy, cy, 0, 0, 0, 1, 0],
    binning_x: 0,
    binning_y: 0,
    roi: { x_offset: 0, y_offset: 0, height: 0, width: 0, do_rectify: false },
  };
}

export function transformMessage(
  stamp: Header['stamp'],
  parent: string,
  child: string,
  { rotation: [x, y, z, w], translation }: RigidTransform,
): TransformStamped {
  return {
    header: { stamp, frame_id: parent },
    child_frame_id: child,
    transform: {
      translation: { x: translation[0], y: translation[1], z: translation[2] },
      rotation: { x, y, z, w },
    },
  };
}

/** Pose in the odom frame, which lies where the drive began; velocity in the base frame, as REP-105 and nav_msgs want it. */
export function odometry(capture: Capture, odomFromEgo: RigidTransform, stamp: Header['stamp']): Odometry {
  const [vx, vy, vz] = capture.worldFromEgo.inverse().rotate(capture.egoVelocity);
  const { rotation, translation } = odomFromEgo;
  return {
    header: { stamp, frame_id: ODOM_FRAME },
    child_frame_id: BASE_FRAME,
    pose: { pose: poseMessage(translation, rotation), covariance: new Float64Array(36) },
    twist: {
      twist: { linear: { x: vx, y: vy, z: vz }, angular: { x: 0, y: 0, z: capture.egoYawRate } },
      covariance: new Float64Array(36),
    },
  };
}

/** The true boxes that at least `minVisibility` of can be seen, base frame. `id`: the actor's index, equal in all frames. */
export function groundTruthDetections(
  capture: Capture,
  stamp: Header['stamp'],
  minVisibility: number,
): Detection3DArray {
  const header = { stamp, frame_id: BASE_FRAME };
  const egoFromWorld = capture.worldFromEgo.inverse();
  const detections = capture.boxes
    .filter(({ visibility }) => visibility >= minVisibility)
    .map(({ actor, center, yaw, index }) => {
      const pose = egoFromWorld.compose(RigidTransform.fromYaw(yaw, center));
      const message = poseMessage(pose.translation, pose.rotation);
      const [x, y, z] = actor.model.size;
      return {
        header,
        results: [
          {
            hypothesis: { class_id: actor.kind, score: 1 },
            pose: { pose: message, covariance: new Float64Array(36) },
          },
        ],
        bbox: { center: message, size: { x, y, z } },
        id: String(index),
      };
    });
  return { header, detections };
}

function poseMessage(
  [px, py, pz]: RigidTransform['translation'],
  [x, y, z, w]: RigidTransform['rotation'],
): Pose {
  return { position: { x: px, y: py, z: pz }, orientation: { x, y, z, w } };
}
