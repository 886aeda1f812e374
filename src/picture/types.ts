import type { Rgb } from '../engine/manifest.js';
import type { Vector3 } from '../geometry/rigid-transform.js';
import type { VoxelGrid } from '../geometry/voxel-grid.js';
import type { CameraFrame, CameraRig, Occupancy } from '../perception/types.js';

export interface PictureClass {
  readonly name: string;
  readonly color: Rgb;
}

/** A box in the base frame: metres, radians. */
export interface PictureBox {
  /** Centre. */
  readonly position: Vector3;
  /** Length, width, height. */
  readonly size: Vector3;
  readonly yaw: number;
  readonly color: Rgb;
}

export interface Palette {
  readonly classes: readonly PictureClass[];
  readonly free: number;
}

/** One bird's-eye view. */
export interface PicturePanel {
  readonly title: string;
  /** Of this panel's voxels, where they are not of the picture's classes. */
  readonly palette?: Palette;
  /** Voxels; a voxel that is not `observed` is drawn as unknown. */
  readonly occupancy?: Pick<Occupancy, 'grid' | 'labels' | 'observed'>;
  readonly boxes: readonly PictureBox[];
  /** LiDAR points `[n, 3]` in the base frame, coloured by height. */
  readonly points?: Float32Array;
}

export interface PictureOptions {
  readonly title: string;
  /** Smaller, below the title. */
  readonly subtitle?: string;
  readonly rig: CameraRig;
  /** Of the rig: a camera without an image, or with one that cannot be used, is shown empty. */
  readonly frame: CameraFrame;
  /** Boxes that are drawn into the camera images. */
  readonly imageBoxes: readonly PictureBox[];
  /** Extent of the bird's-eye views. */
  readonly grid: VoxelGrid;
  /** One to three, side by side. */
  readonly panels: readonly PicturePanel[];
  /** Classes of the panels' voxels, or of the boxes where there are no voxels, and which of them means empty. */
  readonly classes: readonly PictureClass[];
  readonly free: number | undefined;
}
