/** Newton needs 3 or 4 steps from a bisected start; more mean that there is no solution. */
const NEWTON_STEPS = 20;
/** Radians. */
const TOLERANCE = 1e-12;
const ANGLE_STEP = Math.PI / 2048;

/**
 * Equidistant ("fisheye", Kannala and Brandt 2006) distortion as OpenCV's `fisheye::projectPoints` defines it: an angle θ off the
 * optical axis is seen at the radius `θ (1 + k1 θ² + k2 θ⁴ + k3 θ⁶ + k4 θ⁸)`, in focal lengths. The domain ends at the first angle
 * (180° at most) where the radius stops growing.
 */
export class FisheyeDistortion {
  /** Radians. */
  readonly maxAngle: number;
  readonly #k: readonly [number, number, number, number];

  constructor(k: readonly [number, number, number, number]) {
    this.#k = k;
    this.maxAngle = this.#endOfDomain();
  }

  /** Radius of an angle (radians), or undefined outside the domain. */
  radius(angle: number): number | undefined {
    return angle <= this.maxAngle ? this.#radius(angle) : undefined;
  }

  /** Angle (radians) seen at a radius, or undefined where nothing in the domain is. */
  angle(radius: number): number | undefined {
    if (radius > this.#radius(this.maxAngle)) return undefined;
    let [low, high] = [0, this.maxAngle];
    while (high - low > 1e-3) {
      const middle = (low + high) / 2;
      if (this.#radius(middle) < radius) low = middle;
      else high = middle;
    }
    let angle = (low + high) / 2;
    for (let step = 0; step < NEWTON_STEPS; step++) {
      const error = this.#radius(angle) - radius;
      if (Math.abs(error) < TOLERANCE) return angle;
      // Where the radius stops growing its slope is 0: stay between the bisected bounds.
      angle = Math.min(high, Math.max(low, angle - error / this.#slope(angle)));
    }
    return Math.abs(this.#radius(angle) - radius) < 1e-9 ? angle : undefined;
  }

  #radius(angle: number): number {
    const [k1, k2, k3, k4] = this.#k;
    const q = angle * angle;
    return angle * (1 + q * (k1 + q * (k2 + q * (k3 + q * k4))));
  }

  #slope(angle: number): number {
    const [k1, k2, k3, k4] = this.#k;
    const q = angle * angle;
    return 1 + q * (3 * k1 + q * (5 * k2 + q * (7 * k3 + q * 9 * k4)));
  }

  #endOfDomain(): number {
    let inside = 0;
    for (let angle = ANGLE_STEP; angle <= Math.PI; angle += ANGLE_STEP) {
      if (this.#slope(angle) > 0) {
        inside = angle;
        continue;
      }
      let outside = angle;
      while (outside - inside > 1e-12) {
        const middle = (inside + outside) / 2;
        if (this.#slope(middle) > 0) inside = middle;
        else outside = middle;
      }
      return inside;
    }
    return Math.PI;
  }
}
