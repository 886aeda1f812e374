import type { Header, Marker } from './ros-types.js';

/** Types and actions of visualization_msgs/Marker. */
export const CUBE = 1;
export const CUBE_LIST = 6;
export const TEXT_VIEW_FACING = 9;
const ADD = 0;
export const DELETE_ALL = 3;

/** A marker that adds nothing visible but what `changes` says. */
export const marker = (header: Header, changes: Partial<Marker>): Marker => ({
  header,
  ns: '',
  id: 0,
  type: CUBE,
  action: ADD,
  pose: { position: { x: 0, y: 0, z: 0 }, orientation: { x: 0, y: 0, z: 0, w: 1 } },
  scale: { x: 0, y: 0, z: 0 },
  color: { r: 0, g: 0, b: 0, a: 0 },
  lifetime: { sec: 0, nanosec: 0 },
  frame_locked: false,
  points: [],
  colors: [],
  texture_resource: '',
  texture: { header: { stamp: { sec: 0, nanosec: 0 }, frame_id: '' }, format: '', data: new Uint8Array() },
  uv_coordinates: [],
  text: '',
  mesh_resource: '',
  mesh_file: { filename: '', data: new Uint8Array() },
  mesh_use_embedded_materials: false,
  ...changes,
});
