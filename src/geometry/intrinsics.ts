/** Focal lengths and principal point in pixels; pixel (0, 0) is the centre of the top left pixel. */
export interface Intrinsics {
  readonly width: number;
  readonly height: number;
  readonly fx: number;
  readonly fy: number;
  readonly cx: number;
  readonly cy: number;
}
