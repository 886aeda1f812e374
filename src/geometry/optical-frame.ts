import { RigidTransform } from './rigid-transform.js';

/** Optical axes (x right, y down, z forward) in a frame that looks along +x (REP-103). */
export const FORWARD_FROM_OPTICAL = RigidTransform.fromMatrix([0, 0, 1, -1, 0, 0, 0, -1, 0], [0, 0, 0]);
