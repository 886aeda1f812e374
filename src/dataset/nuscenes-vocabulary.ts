import { createHash } from 'node:crypto';
import type { DetectionClass } from './occ3d.js';
import type { NamedRow, Token, VisibilityRow } from './nuscenes-tables.js';
import type { BoxToWrite } from './scene-to-write.js';

/** 32 hexadecimal digits, as nuScenes has them, fixed by what the row is about. */
export function tokenOf(...path: readonly (string | number)[]): Token {
  return createHash('sha256').update(path.join('/')).digest('hex').slice(0, 32);
}

/** The category that stands for a detection class in data we write. */
const CATEGORY: Readonly<Record<DetectionClass, string>> = {
  car: 'vehicle.car',
  truck: 'vehicle.truck',
  construction_vehicle: 'vehicle.construction',
  bus: 'vehicle.bus.rigid',
  trailer: 'vehicle.trailer',
  barrier: 'movable_object.barrier',
  motorcycle: 'vehicle.motorcycle',
  bicycle: 'vehicle.bicycle',
  pedestrian: 'human.pedestrian.adult',
  traffic_cone: 'movable_object.trafficcone',
};

const ATTRIBUTES = [
  'vehicle.moving',
  'vehicle.stopped',
  'vehicle.parked',
  'cycle.with_rider',
  'cycle.without_rider',
  'pedestrian.moving',
  'pedestrian.standing',
  'pedestrian.sitting_lying_down',
] as const;
type Attribute = (typeof ATTRIBUTES)[number];

export function categoryToken(kind: DetectionClass): Token {
  return tokenOf('category', CATEGORY[kind]);
}

export function categoryRows(): NamedRow[] {
  return Object.values(CATEGORY).map((name) => ({ token: tokenOf('category', name), name, description: '' }));
}

export function attributeRows(): NamedRow[] {
  return ATTRIBUTES.map((name) => ({ token: tokenOf('attribute', name), name, description: '' }));
}

/** nuScenes' four levels of visibility; their tokens are '1' to '4'. */
export function visibilityRows(): VisibilityRow[] {
  return ['0-40', '40-60', '60-80', '80-100'].map((range, index) => ({
    token: String(index + 1),
    level: `v${range}`,
    description: `visibility of whole object is between ${range.replace('-', ' and ')}%`,
  }));
}

export function visibilityToken(share: number): Token {
  return share < 0.4 ? '1' : share < 0.6 ? '2' : share < 0.8 ? '3' : '4';
}

export function attributeTokens(box: BoxToWrite): Token[] {
  const attribute = attributeOf(box);
  return attribute === undefined ? [] : [tokenOf('attribute', attribute)];
}

function attributeOf({ kind, velocity, hasRider, parked }: BoxToWrite): Attribute | undefined {
  const moves = Math.hypot(...velocity) > 0.2;
  switch (kind) {
    case 'barrier':
    case 'traffic_cone':
      return undefined;
    case 'pedestrian':
      return moves ? 'pedestrian.moving' : 'pedestrian.standing';
    case 'bicycle':
    case 'motorcycle':
      return hasRider ? 'cycle.with_rider' : 'cycle.without_rider';
    case 'car':
    case 'truck':
    case 'bus':
    case 'trailer':
    case 'construction_vehicle':
      return moves ? 'vehicle.moving' : parked ? 'vehicle.parked' : 'vehicle.stopped';
  }
}
