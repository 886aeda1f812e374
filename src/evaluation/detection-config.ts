/** Settings of the nuScenes detection task, `detection_cvpr_2019` of nuscenes-devkit. */
export const DETECTION_CONFIG = {
  /** Metres from the ego vehicle, on the ground plane, up to which boxes of a class count. */
  classRange: {
    car: 50,
    truck: 50,
    bus: 50,
    trailer: 50,
    construction_vehicle: 50,
    pedestrian: 40,
    motorcycle: 40,
    bicycle: 40,
    traffic_cone: 30,
    barrier: 30,
  },
  /** Metres between centres, on the ground plane, below which a prediction may match. */
  distances: [0.5, 1, 2, 4],
  /** The one of them at which errors of matched boxes are measured. */
  errorDistance: 2,
  minRecall: 0.1,
  minPrecision: 0.1,
  meanApWeight: 5,
} as const;

export type DetectionName = keyof typeof DETECTION_CONFIG.classRange;
export const DETECTION_NAMES = Object.keys(DETECTION_CONFIG.classRange) as readonly DetectionName[];

/** Errors of matched boxes, by the devkit's names: metres, 1 − IoU, radians, m/s, 1 − accuracy. */
export const TRUE_POSITIVE_ERRORS = ['trans_err', 'scale_err', 'orient_err', 'vel_err', 'attr_err'] as const;
export type TruePositiveError = (typeof TRUE_POSITIVE_ERRORS)[number];

/** What a class has no heading, speed or attribute for is not part of the mean over classes. */
export const UNDEFINED_ERRORS: Readonly<Partial<Record<DetectionName, readonly TruePositiveError[]>>> = {
  traffic_cone: ['attr_err', 'vel_err', 'orient_err'],
  barrier: ['attr_err', 'vel_err'],
};
