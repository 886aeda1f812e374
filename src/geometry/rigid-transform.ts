export type Vector3 = readonly [number, number, number];
/** x, y, z, w, as ROS orders it. */
export type Quaternion = readonly [number, number, number, number];
/** Row-major 3×3. */
export type Matrix3 = readonly [number, number, number, number, number, number, number, number, number];

/** A rotation followed by a translation (metres): takes points of the child frame into the parent frame. */
export class RigidTransform {
  static readonly identity = new RigidTransform([0, 0, 0, 1], [0, 0, 0]);

  readonly rotation: Quaternion;
  readonly translation: Vector3;
  /** The rotation as a matrix. */
  readonly matrix: Matrix3;

  /** @throws RangeError if a number is not finite or the quaternion is (nearly) zero. It is normalised otherwise. */
  constructor(rotation: Quaternion, translation: Vector3) {
    const norm = Math.hypot(...rotation);
    if (!(norm > 1e-6) || ![...rotation, ...translation].every(Number.isFinite)) {
      throw new RangeError(
        `a transform needs a non-zero quaternion and finite numbers, found rotation [${rotation.join(', ')}], ` +
          `translation [${translation.join(', ')}]`,
      );
    }
    const [x, y, z, w] = rotation.map((q) => q / norm) as unknown as Quaternion;
    this.rotation = [x, y, z, w];
    this.translation = translation;
    this.matrix = [
      1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w),
      2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w),
      2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y),
    ]; // prettier-ignore
  }

  /** From a rotation matrix, by the largest of the four quaternion components (Shepperd 1978). */
  static fromMatrix(m: Matrix3, translation: Vector3): RigidTransform {
    const trace = m[0] + m[4] + m[8];
    const squares = [m[0] * 2 - trace, m[4] * 2 - trace, m[8] * 2 - trace, trace];
    const largest = squares.indexOf(Math.max(...squares));
    const q4 = [
      [1 + squares[0]!, m[1] + m[3], m[2] + m[6], m[7] - m[5]],
      [m[1] + m[3], 1 + squares[1]!, m[5] + m[7], m[2] - m[6]],
      [m[2] + m[6], m[5] + m[7], 1 + squares[2]!, m[3] - m[1]],
      [m[7] - m[5], m[2] - m[6], m[3] - m[1], 1 + squares[3]!],
    ][largest] as unknown as Quaternion;
    return new RigidTransform(q4, translation);
  }

  /** Rotation about +z by `yaw` radians. */
  static fromYaw(yaw: number, translation: Vector3): RigidTransform {
    return new RigidTransform([0, 0, Math.sin(yaw / 2), Math.cos(yaw / 2)], translation);
  }

  apply(point: Vector3): Vector3 {
    const [x, y, z] = this.rotate(point);
    return [x + this.translation[0], y + this.translation[1], z + this.translation[2]];
  }

  rotate([x, y, z]: Vector3): Vector3 {
    const m = this.matrix;
    return [m[0] * x + m[1] * y + m[2] * z, m[3] * x + m[4] * y + m[5] * z, m[6] * x + m[7] * y + m[8] * z];
  }

  /** `a.compose(b)` applies b first: with a = parent←child and b = child←grandchild, parent←grandchild. */
  compose(other: RigidTransform): RigidTransform {
    const [ax, ay, az, aw] = this.rotation;
    const [bx, by, bz, bw] = other.rotation;
    return new RigidTransform(
      [
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
        aw * bw - ax * bx - ay * by - az * bz,
      ],
      this.apply(other.translation),
    );
  }

  inverse(): RigidTransform {
    const [x, y, z, w] = this.rotation;
    const turned = new RigidTransform([-x, -y, -z, w], [0, 0, 0]);
    const [tx, ty, tz] = turned.rotate(this.translation);
    return new RigidTransform(turned.rotation, [-tx, -ty, -tz]);
  }

  /** Between this (fraction 0) and another pose (1): the translation on a line, the rotation on the shorter arc (slerp). */
  interpolate(other: RigidTransform, fraction: number): RigidTransform {
    const [a, b] = [this.rotation, other.rotation];
    const dot = a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3];
    // q and −q are the same rotation; the one on the same side as `a` is nearer.
    const side = dot < 0 ? -1 : 1;
    const angle = Math.acos(Math.min(1, Math.abs(dot)));
    // Below this angle the sines lose more digits than the straight line does.
    const isSmall = angle < 1e-4;
    const wa = isSmall ? 1 - fraction : Math.sin((1 - fraction) * angle) / Math.sin(angle);
    const wb = side * (isSmall ? fraction : Math.sin(fraction * angle) / Math.sin(angle));
    const [p, q] = [this.translation, other.translation];
    return new RigidTransform(
      [wa * a[0] + wb * b[0], wa * a[1] + wb * b[1], wa * a[2] + wb * b[2], wa * a[3] + wb * b[3]],
      [p[0] + fraction * (q[0] - p[0]), p[1] + fraction * (q[1] - p[1]), p[2] + fraction * (q[2] - p[2])],
    );
  }
}
