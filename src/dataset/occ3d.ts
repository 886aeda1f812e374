import { VoxelGrid } from '../geometry/voxel-grid.js';

/** Occ3D-nuScenes classes; the index is the label. */
export const OCC3D_CLASSES = [
  'others',
  'barrier',
  'bicycle',
  'bus',
  'car',
  'construction_vehicle',
  'motorcycle',
  'pedestrian',
  'traffic_cone',
  'trailer',
  'truck',
  'driveable_surface',
  'other_flat',
  'sidewalk',
  'terrain',
  'manmade',
  'vegetation',
  'free',
] as const;
export type Occ3dClass = (typeof OCC3D_CLASSES)[number];

export const OCC3D_FREE = 17;

/** Label of a class. */
export function occ3dLabel(name: Occ3dClass): number {
  return OCC3D_CLASSES.indexOf(name);
}

/** The grid of Occ3D-nuScenes: 0.4 m voxels, ego frame (base_link), metres. */
export const OCC3D_GRID = new VoxelGrid({ min: [-40, -40, -1], max: [40, 40, 5.4], shape: [200, 200, 16] });

/** The ten classes of the nuScenes detection task, in the order of the devkit and of BEVDet's configurations. */
export const DETECTION_CLASSES = [
  'car',
  'truck',
  'construction_vehicle',
  'bus',
  'trailer',
  'barrier',
  'motorcycle',
  'bicycle',
  'pedestrian',
  'traffic_cone',
] as const;
export type DetectionClass = (typeof DETECTION_CLASSES)[number];

/** nuScenes category → detection class; categories that are not listed are not part of the detection task (nuscenes-devkit). */
const CATEGORY_TO_DETECTION: Readonly<Record<string, DetectionClass>> = {
  'movable_object.barrier': 'barrier',
  'movable_object.trafficcone': 'traffic_cone',
  'vehicle.bicycle': 'bicycle',
  'vehicle.bus.bendy': 'bus',
  'vehicle.bus.rigid': 'bus',
  'vehicle.car': 'car',
  'vehicle.construction': 'construction_vehicle',
  'vehicle.motorcycle': 'motorcycle',
  'human.pedestrian.adult': 'pedestrian',
  'human.pedestrian.child': 'pedestrian',
  'human.pedestrian.construction_worker': 'pedestrian',
  'human.pedestrian.police_officer': 'pedestrian',
  'vehicle.trailer': 'trailer',
  'vehicle.truck': 'truck',
};

export function detectionClassOf(category: string): DetectionClass | undefined {
  return CATEGORY_TO_DETECTION[category];
}
