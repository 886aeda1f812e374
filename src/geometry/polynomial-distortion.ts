/** Coefficients in OpenCV's order; missing ones are 0. */
export type PolynomialCoefficients = readonly number[];

interface Distorted {
  readonly point: readonly [number, number];
  /** Row-major 2×2 Jacobian of the distorted with respect to the undistorted coordinates. */
  readonly jacobian: readonly [number, number, number, number];
}

/** Largest tangent of the angle off axis that is looked at: 89.4°. */
const MAX_RADIUS = 100;
const NEWTON_STEPS = 20;
/** In normalised coordinates: far below a thousandth of a pixel at any focal length in use. */
const TOLERANCE = 1e-10;

/**
 * Radial, tangential and thin prism distortion of normalised image coordinates (x/z, y/z), as OpenCV's `projectPoints` defines it
 * (calib3d documentation, "Detailed Description"): `d = (k1, k2, p1, p2[, k3[, k4, k5, k6[, s1, s2, s3, s4]]])`.
 *
 * A polynomial fitted inside the image folds back outside of it, which would put points far off axis into the picture. The domain
 * therefore ends at the first radius where the radial part stops growing; beyond it there is no image.
 */
export class PolynomialDistortion {
  readonly #k: readonly [number, number, number, number, number, number];
  readonly #p: readonly [number, number];
  readonly #s: readonly [number, number, number, number];
  readonly #maxRadiusSquared: number;

  constructor(d: PolynomialCoefficients) {
    const [k1 = 0, k2 = 0, p1 = 0, p2 = 0, k3 = 0, k4 = 0, k5 = 0, k6 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0] =
      d;
    this.#k = [k1, k2, k3, k4, k5, k6];
    this.#p = [p1, p2];
    this.#s = [s1, s2, s3, s4];
    this.#maxRadiusSquared = this.#endOfDomain();
  }

  /** Distorted coordinates, or undefined outside the domain. */
  distort(x: number, y: number): readonly [number, number] | undefined {
    return x * x + y * y <= this.#maxRadiusSquared ? this.#distort(x, y).point : undefined;
  }

  /** Inverse of `distort` by Newton's method; undefined where nothing in the domain is distorted to (x, y). */
  undistort(xd: number, yd: number): readonly [number, number] | undefined {
    const start = this.#undistortRadially(Math.hypot(xd, yd));
    let [x, y] = [xd * start, yd * start];
    for (let step = 0; step < NEWTON_STEPS; step++) {
      const { point, jacobian } = this.#distort(x, y);
      const [ex, ey] = [point[0] - xd, point[1] - yd];
      if (Math.hypot(ex, ey) < TOLERANCE) return x * x + y * y <= this.#maxRadiusSquared ? [x, y] : undefined;
      const [a, b, c, d] = jacobian;
      const determinant = a * d - b * c;
      if (!(determinant > 0)) return undefined;
      x -= (d * ex - b * ey) / determinant;
      y -= (a * ey - c * ex) / determinant;
    }
    return undefined;
  }

  #distort(x: number, y: number): Distorted {
    const [p1, p2] = this.#p;
    const [s1, s2, s3, s4] = this.#s;
    const r2 = x * x + y * y;
    const { value, slope } = this.#radial(r2);
    return {
      point: [
        x * value + 2 * p1 * x * y + p2 * (r2 + 2 * x * x) + (s1 + s2 * r2) * r2,
        y * value + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y + (s3 + s4 * r2) * r2,
      ],
      jacobian: [
        value + 2 * x * x * slope + 2 * p1 * y + 6 * p2 * x + 2 * x * (s1 + 2 * s2 * r2),
        2 * x * y * slope + 2 * p1 * x + 2 * p2 * y + 2 * y * (s1 + 2 * s2 * r2),
        2 * x * y * slope + 2 * p1 * x + 2 * p2 * y + 2 * x * (s3 + 2 * s4 * r2),
        value + 2 * y * y * slope + 6 * p1 * y + 2 * p2 * x + 2 * y * (s3 + 2 * s4 * r2),
      ],
    };
  }

  /** The radial factor at squared radius `q`, its derivative with respect to `q`, and the denominator it was made with. */
  #radial(q: number): { readonly value: number; readonly slope: number; readonly denominator: number } {
    const [k1, k2, k3, k4, k5, k6] = this.#k;
    const numerator = 1 + q * (k1 + q * (k2 + q * k3));
    const denominator = 1 + q * (k4 + q * (k5 + q * k6));
    const numeratorSlope = k1 + q * (2 * k2 + q * 3 * k3);
    const denominatorSlope = k4 + q * (2 * k5 + q * 3 * k6);
    return {
      value: numerator / denominator,
      slope: (numeratorSlope * denominator - numerator * denominatorSlope) / (denominator * denominator),
      denominator,
    };
  }

  /** Whether r ↦ r · radial(r²) grows at squared radius `q`, and has no pole before. */
  #grows(q: number): boolean {
    const { value, slope, denominator } = this.#radial(q);
    return denominator > 0 && value + 2 * q * slope > 0;
  }

  /** First squared radius where the radial part stops growing, by steps of 1 % and bisection. */
  #endOfDomain(): number {
    const limit = MAX_RADIUS * MAX_RADIUS;
    let inside = 0;
    for (let q = 1e-4; q < limit * 1.01; q *= 1.01) {
      if (this.#grows(q)) {
        inside = q;
        continue;
      }
      let outside = q;
      while (outside - inside > 1e-9 * outside) {
        const middle = (inside + outside) / 2;
        if (this.#grows(middle)) inside = middle;
        else outside = middle;
      }
      return inside;
    }
    return limit;
  }

  /**
   * Ratio undistorted / distorted radius if there were only the radial part: bisection, since Newton's method from the distorted point
   * may leave the domain under strong distortion.
   */
  #undistortRadially(distorted: number): number {
    if (distorted === 0) return 1;
    let [low, high] = [0, Math.sqrt(this.#maxRadiusSquared)];
    while (high - low > 1e-6 * high) {
      const middle = (low + high) / 2;
      if (middle * this.#radial(middle * middle).value < distorted) low = middle;
      else high = middle;
    }
    return (low + high) / 2 / distorted;
  }
}
